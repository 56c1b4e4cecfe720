"""Sample values for every printed paper, in each language, with names and addresses to match."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from doorstep.core.money import Money
from doorstep.modules.crm.documents import WarrantyData
from doorstep.modules.crm.documents import warranty as warranty_paper
from doorstep.modules.fsm.documents import ReceiptData, ReceiptLine, ReceiptTender
from doorstep.modules.fsm.documents import receipt as receipt_paper
from doorstep.modules.oms.documents import (
    InvoiceData,
    InvoiceLine,
    InvoicePayment,
    Party,
    TaxShare,
)
from doorstep.modules.oms.documents import invoice as invoice_paper
from doorstep.modules.tms.documents import PodData, PodLine, PodPhoto
from doorstep.modules.tms.documents import pod as pod_paper
from doorstep.modules.wms.documents import (
    LabelData,
    LabelPiece,
    PackingSlipData,
    PackingSlipLine,
    PickLine,
    PickListData,
    Place,
    ReturnFormData,
    ReturnFormLine,
)
from doorstep.modules.wms.documents import label as label_paper
from doorstep.modules.wms.documents import packing_slip as packing_slip_paper
from doorstep.modules.wms.documents import pick_list as pick_list_paper
from doorstep.modules.wms.documents import return_form as return_form_paper
from tests.support.pictures import make_jpeg

LANGUAGES = ("en", "hi", "ar")
DAY = date(2026, 11, 23)
COMPANY = "Doorstep Trading LLC"
AWB = "DSP254592457"

WAREHOUSE = Place(
    name=COMPANY,
    lines=["Warehouse 4, Dubai Investments Park", "Dubai, United Arab Emirates"],
    phone="+971 4 555 0100",
)
RECEIVERS = {
    "en": Place(
        name="Aisha Rahman-Khan",
        lines=[
            "Flat 1203, Marina Heights Tower B",
            "12 Al Marsa Street, Dubai Marina",
            "Dubai, AE",
        ],
        phone="+971 50 123 4567",
    ),
    "hi": Place(
        name="प्रिया शर्मा",
        lines=["फ़्लैट 402, गंगा अपार्टमेंट", "12 महात्मा गांधी मार्ग", "मुंबई 400001, भारत"],
        phone="+91 98 2012 3456",
    ),
    "ar": Place(
        name="فاطمة الزهراء المنصوري",
        lines=["شقة 1203، برج مرسى هايتس ب", "12 شارع المرسى، دبي مارينا", "دبي، الإمارات"],
        phone="+971 50 123 4567",
    ),
}
PRODUCTS = {
    "en": ("Washing machine 9 kg, front loader", "Keep upright. Leave the transport bolts in."),
    "hi": ("वॉशिंग मशीन 9 किग्रा, फ़्रंट लोडर", "सीधा रखें। परिवहन के बोल्ट न निकालें।"),
    "ar": ("غسالة ملابس 9 كجم بتحميل أمامي", "تُحفظ قائمة. لا تُزَل مسامير النقل."),
}
COD = {"en": None, "hi": Money(6000000, "INR"), "ar": Money(600000, "KWD")}
MONEY = {"en": ("AED", 100), "hi": ("INR", 100), "ar": ("KWD", 1000)}


def label(language: str = "en", *, pieces: int = 2, cod: Money | None = None) -> LabelData:
    """Describe the labels of a shipment; the language is that of the address."""
    return LabelData(
        company=COMPANY,
        carrier="Doorstep Fleet",
        service="Standard",
        awb=AWB,
        order_number="DS-000042",
        route_code="DXB-M3",
        sender=WAREHOUSE,
        receiver=RECEIVERS[language],
        pieces=[
            LabelPiece(
                label_no=AWB if pieces == 1 else f"{AWB}-{i + 1}",
                weight_g=61_500 + i * 250,
                length_mm=605,
                width_mm=600,
                height_mm=850 + i * 5,
                contents=PRODUCTS[language][0],
            )
            for i in range(pieces)
        ],
        cod=cod,
        handling=["FRAGILE", "THIS SIDE UP", "TWO PERSONS"],
    )


def packing_slip(language: str) -> PackingSlipData:
    """Describe the packing slip of a serialised product and a small one."""
    name, instruction = PRODUCTS[language]
    return PackingSlipData(
        language=language,  # type: ignore[arg-type]
        company=COMPANY,
        order_number="DS-000042",
        placed_on=DAY,
        pieces=2,
        packed_by="Ravi Menon",
        sender=WAREHOUSE,
        receiver=RECEIVERS[language],
        lines=[
            PackingSlipLine(
                sku="WM-9-FL",
                name=name,
                quantity=2,
                serials=["SN8842-001937", "SN8842-001938"],
                accessories=["Hose 2 m", "Spanner 13 mm"],
                packing_instruction=instruction,
            ),
            PackingSlipLine(sku="DET-3", name="Detergent 3 L", quantity=4),
        ],
    )


def return_form(language: str) -> ReturnFormData:
    """Describe a return form."""
    return ReturnFormData(
        language=language,  # type: ignore[arg-type]
        company=COMPANY,
        order_number="DS-000042",
        customer_name=RECEIVERS[language].name,
        return_to=WAREHOUSE,
        return_url="https://shop.example/t/abcdefghijklmnopqrstuv",
        return_days=14,
        printed_on=DAY,
        lines=[
            ReturnFormLine(
                sku="WM-9-FL", name=PRODUCTS[language][0], quantity=1, serials=["SN8842-001937"]
            ),
            ReturnFormLine(sku="DET-3", name="Detergent 3 L", quantity=4),
        ],
    )


def pick_list(language: str) -> PickListData:
    """Describe a pick list of a dozen lines."""
    return PickListData(
        language=language,  # type: ignore[arg-type]
        company=COMPANY,
        number="PL-000017",
        location="Dubai Investments Park",
        picker="Ravi Menon",
        printed_on=DAY,
        lines=[
            PickLine(
                order_number=f"DS-{i:06}",
                sku=f"WM-{i % 3}",
                name=PRODUCTS[language][0],
                quantity=1 + i % 2,
                bin=f"A-{i % 4:02}",
                serialised=i % 2 == 0,
            )
            for i in range(12)
        ],
    )


def invoice(language: str, *, lines: int = 2) -> InvoiceData:
    """Describe an invoice in the language's currency (AED and INR have 2 decimals, KWD has 3)."""
    currency, unit = MONEY[language]
    price, total = 1000 * unit + 1, 2100 * unit
    shop = Party(
        name=COMPANY, lines=WAREHOUSE.lines, phone=WAREHOUSE.phone, tax_number="100354321700003"
    )
    receiver = RECEIVERS[language]
    return InvoiceData(
        language=language,  # type: ignore[arg-type]
        number="INV-2026-000042",
        issued_on=DAY,
        order_number="DS-000042",
        company=COMPANY,
        seller=shop,
        buyer=Party(name=receiver.name, lines=receiver.lines, phone=receiver.phone),
        receiver=Party(name=receiver.name, lines=receiver.lines, phone=receiver.phone),
        currency=currency,
        lines=[
            InvoiceLine(
                sku=f"WM-9-FL-{i}",
                name=PRODUCTS[language][0],
                quantity=1,
                unit_price_minor=price,
                discount_minor=50 * unit if i % 2 else 0,
                tax_rate="5",
                tax_minor=50 * unit,
                total_minor=price - (50 * unit if i % 2 else 0),
            )
            for i in range(lines)
        ],
        subtotal_minor=price * 2,
        discount_minor=50 * unit,
        shipping_minor=49 * unit,
        taxes=[TaxShare(name="VAT", rate="5", amount_minor=100 * unit)],
        total_minor=total,
        payments=[
            InvoicePayment(method="credit_card", amount_minor=total - 600 * unit, paid=True),
            InvoicePayment(method="cod", amount_minor=600 * unit, paid=False),
        ],
    )


def warranty(language: str) -> WarrantyData:
    """Describe a warranty certificate."""
    return WarrantyData(
        language=language,  # type: ignore[arg-type]
        company=COMPANY,
        number="WC-000042",
        customer_name=RECEIVERS[language].name,
        product_name=PRODUCTS[language][0],
        sku="WM-9-FL",
        serial="SN8842-001937",
        order_number="DS-000042",
        purchased_on=DAY,
        installed_on=date(2026, 11, 30),
        starts_on=date(2026, 11, 30),
        ends_on=date(2028, 11, 29),
        verification_url="https://doorstep.example/w/WC-000042-7fQ2hXkP",
    )


def pod(language: Any = "en") -> PodData:
    """A washing machine that was taken and a kettle that was kept back, with a signature and a photo."""
    return PodData(
        language=language,
        company=COMPANY,
        number="DS-100001-1",
        order_number="DS-100001",
        parcel=1,
        awb=AWB,
        delivered_at=datetime(2026, 11, 23, 14, 20, tzinfo=UTC),
        receiver_name=RECEIVERS[language].name,
        receiver_relation="family",
        brought_by="Rashid",
        lat=25.08012,
        lng=55.14109,
        accuracy_m=12.4,
        code_ok=True,
        pieces=[f"{AWB}-1", f"{AWB}-2"],
        lines=[
            PodLine(name="Washing machine", quantity=1, serials=["WM-1"], kept_back=0),
            PodLine(name="Kettle", quantity=0, serials=[], kept_back=1),
        ],
        signature=[[(0, 0, 0), (40, 25, 300)], [(20, 5, 500)]],
        signature_sha256="a" * 64,
        photos=[PodPhoto(sha256="b" * 64, thumbnail=make_jpeg(240, 320), width=240, height=320)],
    )


def receipt(language: str) -> ReceiptData:
    """Describe a receipt of extras, paid in two ways and in part."""
    return ReceiptData(
        language=language,  # type: ignore[arg-type]
        company=COMPANY,
        number="DS-000042-R1F2E3D4C",
        order_number="DS-000042",
        customer_name=RECEIVERS[language].name,
        taken_by="Tariq Hussain",
        issued_on=DAY,
        currency="AED",
        tax_name="VAT",
        lines=[
            ReceiptLine(
                name=PRODUCTS[language][0],
                quantity=2,
                net_minor=70_02,
                tax_minor=3_50,
                tax_basis_points=500,
            )
        ],
        billed_minor=73_52,
        paid_before_minor=10_00,
        tenders=[
            ReceiptTender(method="cash", amount_minor=20_00, reference=""),
            ReceiptTender(method="credit_card", amount_minor=30_00, reference="A-77"),
        ],
    )


def papers(language: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name every paper with its template and its printed values."""
    return {
        "label": (label_paper.TEMPLATE, label_paper.content(label(language, cod=COD[language]))),
        "packing_slip": (
            packing_slip_paper.TEMPLATE,
            packing_slip_paper.content(packing_slip(language)),
        ),
        "return_form": (
            return_form_paper.TEMPLATE,
            return_form_paper.content(return_form(language)),
        ),
        "pick_list": (pick_list_paper.TEMPLATE, pick_list_paper.content(pick_list(language))),
        "invoice": (invoice_paper.TEMPLATE, invoice_paper.content(invoice(language))),
        "receipt": (receipt_paper.TEMPLATE, receipt_paper.content(receipt(language))),
        "pod": (pod_paper.TEMPLATE, pod_paper.content(pod(language))),
        "warranty": (warranty_paper.TEMPLATE, warranty_paper.content(warranty(language))),
    }
