"""Every paper, in every language: it prints, it has all its letters, and its codes can be read."""

from __future__ import annotations

import re
import time
from io import BytesIO
from string import ascii_letters, digits
from typing import get_args

import msgspec
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from structlog.testing import capture_logs

from doorstep.core import barcodes, pdf
from doorstep.core.money import Money
from doorstep.modules.crm.documents import texts as crm_texts
from doorstep.modules.crm.documents import warranty
from doorstep.modules.fsm.documents import texts as fsm_texts
from doorstep.modules.oms.documents import invoice
from doorstep.modules.oms.documents import texts as oms_texts
from doorstep.modules.tms.documents import pod
from doorstep.modules.tms.documents import texts as tms_texts
from doorstep.modules.tms.schemas import Relation
from doorstep.modules.wms.documents import (
    label,
    packing_slip,
    pick_list,
    render_label,
    return_form,
)
from doorstep.modules.wms.documents import texts as wms_texts
from tests.support import papers

PAPERS = (
    "label", "packing_slip", "return_form", "pick_list", "invoice", "receipt", "pod", "warranty",
)  # fmt: skip
TABLES = {
    "PACKING_SLIP": wms_texts.PACKING_SLIP,
    "RETURN_FORM": wms_texts.RETURN_FORM,
    "PICK_LIST": wms_texts.PICK_LIST,
    "INVOICE": oms_texts.INVOICE,
    "METHODS": oms_texts.METHODS,
    "RECEIPT": fsm_texts.RECEIPT,
    "RECEIPT_METHODS": fsm_texts.METHODS,
    "POD": tms_texts.POD,
    "RELATIONS": tms_texts.RELATIONS,
    "WARRANTY": crm_texts.WARRANTY,
}


def codes(png: bytes) -> dict[str, str]:
    found = zxingcpp.read_barcodes(Image.open(BytesIO(png)).convert("L"))
    return {str(code.format): code.text for code in found}


def page_count(document: bytes) -> int:
    """Read the number from the page tree, which typst does not compress."""
    counted = re.search(rb"/Type/Pages/Count (\d+)", document)
    assert counted is not None
    return int(counted[1])


@pytest.mark.parametrize("language", papers.LANGUAGES)
@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_prints_with_every_letter_of_its_language(name: str, language: str) -> None:
    template, content = papers.papers(language)[name]

    with capture_logs() as logs:
        document = pdf.render(template, content)

    assert document.startswith(b"%PDF-")
    assert b"pdfaid:part" in document, "printed without the standard that forbids missing letters"
    assert [log for log in logs if log["event"] == "core.paper_letter_missing"] == []


def test_a_letter_that_no_font_has_is_logged_and_the_paper_still_prints() -> None:
    template, content = papers.papers("en")["label"]
    content["receiver"] = content["receiver"] | {"name": "王小明"}

    with capture_logs() as logs:
        document = pdf.render(template, content)

    assert document.startswith(b"%PDF-")
    assert [log["event"] for log in logs] == ["core.paper_letter_missing"]


def test_the_same_values_print_the_same_bytes() -> None:
    first = invoice.render_invoice(papers.invoice("ar"))
    assert invoice.render_invoice(papers.invoice("ar")) == first


def test_a_template_without_its_values_is_a_programming_error() -> None:
    with pytest.raises(pdf.TemplateBroken):
        pdf.render("modules/wms/documents/label.typ", {"language": "en"})


def test_fonts_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = type("Elsewhere", (), {"font_path": "/nowhere"})()
    monkeypatch.setattr(pdf, "settings", lambda: elsewhere)

    with pytest.raises(pdf.FontsMissing, match="Noto Sans Arabic"):
        pdf._fonts.__wrapped__()


@pytest.mark.parametrize("name", TABLES)
def test_each_language_has_all_texts(name: str) -> None:
    table = TABLES[name]
    assert list(table) == list(papers.LANGUAGES)
    for language, texts in table.items():
        assert texts.keys() == table["en"].keys(), language
        assert all(texts.values())


def test_return_reasons_have_the_same_numbers_in_each_language() -> None:
    assert {len(reasons) for reasons in wms_texts.RETURN_REASONS.values()} == {6}


# --- The proof of a delivery ----------------------------------------------------------------------


def test_every_relation_to_the_customer_has_its_word() -> None:
    assert set(tms_texts.RELATIONS["en"]) == set(get_args(Relation))


def test_the_place_on_a_proof_is_rough() -> None:
    assert pod.content(papers.pod())["place"] == "25.080, 55.141 (within 12 m)"


def test_a_signature_is_drawn_as_it_was_written() -> None:
    drawn = pod.svg_of([[(0, 0, 0), (40, 25, 300)], [(20, 5, 500)]])
    assert 'd="M0.0 0.0 L40.0 25.0 L40.0 25.0M20.0 5.0 L20.0 5.0"' in drawn
    assert 'viewBox="-2.5 -2.5 45.0 30.0"' in drawn
    assert pod.svg_of([[]]) == ""


# --- The label ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", papers.LANGUAGES)
def test_both_codes_of_a_label_say_the_awb(language: str) -> None:
    shown = pdf.pages(label.TEMPLATE, label.content(papers.label(language, pieces=1)))

    assert codes(shown[0]) == {"Code 128": papers.AWB, "QR Code": papers.AWB}


def test_each_piece_has_its_own_label() -> None:
    data = papers.label(pieces=3, cod=Money(100_000, "AED"))

    shown = pdf.pages(label.TEMPLATE, label.content(data))

    assert [codes(page)["Code 128"] for page in shown] == [f"{papers.AWB}-{n}" for n in (1, 2, 3)]
    assert [codes(page)["QR Code"] for page in shown] == [f"{papers.AWB}-{n}" for n in (1, 2, 3)]
    assert page_count(render_label(data)) == 3


def test_a_label_is_100_by_150_mm() -> None:
    page = Image.open(BytesIO(pdf.pages(label.TEMPLATE, label.content(papers.label()))[0]))
    assert (round(page.width / 203 * 25.4), round(page.height / 203 * 25.4)) == (100, 150)


def test_a_long_address_gets_smaller_and_stays_on_the_page() -> None:
    long = msgspec.structs.replace(
        papers.RECEIVERS["en"],
        lines=["Building with a very long name, near the second roundabout, gate 5"] * 7,
    )
    data = msgspec.structs.replace(
        papers.label(pieces=1), receiver=long, sender=long, route_code="RAS AL KHAIMAH NORTH"
    )

    shown = pdf.pages(label.TEMPLATE, label.content(data))

    assert len(shown) == 1
    assert codes(shown[0]) == {"Code 128": papers.AWB, "QR Code": papers.AWB}


def test_cash_on_delivery_is_written_with_the_currency_s_decimals() -> None:
    assert label.content(papers.label(cod=Money(333_333, "KWD")))["cod"] == "333.333 KWD"
    assert label.content(papers.label(cod=Money(100_001, "AED")))["cod"] == "1000.01 AED"
    assert label.content(papers.label())["cod"] is None


# --- The other papers -----------------------------------------------------------------------------


def test_amounts_of_an_invoice_have_the_currency_s_decimals() -> None:
    dirhams = invoice.content(papers.invoice("en"))
    dinars = invoice.content(papers.invoice("ar"))

    assert (dirhams["total"], dirhams["lines"][1]["discount"]) == ("2100.00 AED", "-50.00")
    assert (dinars["total"], dinars["lines"][1]["discount"]) == ("2100.000 KWD", "-50.000")
    assert [payment["state"] for payment in dirhams["payments"]] == ["paid", "due on delivery"]


def test_a_long_invoice_goes_on_over_pages() -> None:
    assert page_count(invoice.render_invoice(papers.invoice("en"))) == 1
    assert page_count(invoice.render_invoice(papers.invoice("en", lines=60))) > 1


@pytest.mark.parametrize("language", papers.LANGUAGES)
def test_the_certificate_s_code_leads_to_its_verification(language: str) -> None:
    data = papers.warranty(language)

    shown = pdf.pages(warranty.TEMPLATE, warranty.content(data))

    assert len(shown) == 1
    assert codes(shown[0]) == {"QR Code": data.verification_url}


def test_the_codes_of_slip_form_and_list_can_be_read() -> None:
    slip = pdf.pages(
        packing_slip.TEMPLATE, packing_slip.content(papers.packing_slip("ar")), ppi=300
    )
    form = pdf.pages(return_form.TEMPLATE, return_form.content(papers.return_form("en")))
    picks = pdf.pages(pick_list.TEMPLATE, pick_list.content(papers.pick_list("en")), ppi=300)

    assert codes(slip[0]) == {"Code 128": "DS-000042"}
    assert codes(form[0]) == {"QR Code": papers.return_form("en").return_url}
    assert codes(picks[0]) == {"Code 128": "PL-000017"}


def test_a_pick_list_goes_from_bin_to_bin() -> None:
    bins = [line["bin"] for line in pick_list.content(papers.pick_list("en"))["lines"]]
    assert bins == sorted(bins)


def test_dates_are_written_in_the_language() -> None:
    assert [pdf.date_text(papers.DAY, language) for language in papers.LANGUAGES] == [
        "23 November 2026",
        "23 नवंबर 2026",
        "23 نوفمبر 2026",
    ]


# --- Barcodes -------------------------------------------------------------------------------------


@given(st.text(alphabet=ascii_letters + digits + "-./ ", min_size=1, max_size=48))
def test_a_code_128_is_drawn_for_every_number(text: str) -> None:
    assert barcodes.code128_svg(text).startswith("<?xml")


@pytest.mark.parametrize("text", ["", "a" * 49, "عربي", "line\nfeed"])
def test_what_no_scanner_could_read_is_refused(text: str) -> None:
    with pytest.raises(barcodes.NotPrintableAsBarcode):
        barcodes.code128_svg(text)


def test_a_warm_paper_takes_milliseconds() -> None:
    template, content = papers.papers("ar")["invoice"]
    pdf.render(template, content)

    started = time.perf_counter()
    for number in range(10):
        pdf.render(template, content | {"number": str(number)})
    each = (time.perf_counter() - started) / 10

    print(f"invoice, warm: {each * 1000:.1f} ms")
    assert each < 0.5
