"""The customer's timeline: SPEC's sentences, their variants, three languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from doorstep.journey import timeline as module
from doorstep.journey.stages import STAGES
from doorstep.journey.timeline import (
    Milestone,
    Parcel,
    Reached,
    delivered_words,
    describe_milestones,
    format_amount,
    sentence,
    timeline,
)

SPEC = {
    "T1": ("Order Confirmed", "Customer order successfully received.", 1001),
    "T2": ("Payment Verified", "UPI/Card/COD payment verified.", 1002),
    "T3": ("Stock Reserved", "Inventory allocated from warehouse.", 1003),
    "T4": ("Packing Started", "Warehouse team initiated packaging.", 1005),
    "T5": ("Quality Check Completed", "Barcode, serial no and accessories verified.", 1006),
    "T6": ("Shipped", "Shipment handed over to courier partner with AWB.", 1009),
    "T7": ("In Transit", "Shipment moving through logistics hubs.", 1010),
    "T8": ("Out For Delivery", "Delivery executive assigned.", 1012),
    "T9": ("Delivered", "Customer received shipment successfully.", 1013),
    "T10": ("Installation Scheduled", "Technician visit planned.", 1014),
    "T11": ("Installation Completed", "Demo and installation completed.", 1015),
    "T12": ("Warranty Activated", "Warranty registered successfully.", 1018),
}
START = datetime(2026, 11, 23, 8, tzinfo=UTC)
PLAIN = Parcel(needs_vendor=True, needs_install=True, has_warranty=True, collection=False)


def passed(*codes: int, how: str = "done") -> list[Reached]:
    return [
        msgspec.convert(
            {"stage": code, "how": how, "recorded_at": START + timedelta(minutes=code - 1000)},
            Reached,
        )
        for code in codes
    ]


def every_stage() -> list[Reached]:
    return passed(*(stage.code for stage in STAGES))


def by_id(milestones: list[Milestone]) -> dict[str, Milestone]:
    return {milestone.id: milestone for milestone in milestones}


def test_a_whole_journey_says_exactly_the_twelve_sentences() -> None:
    told = timeline(every_stage(), PLAIN, "en")
    assert [(m.id, m.title, m.sentence) for m in told] == [
        (name, title, words) for name, (title, words, _) in SPEC.items()
    ]
    assert {m.state for m in told} == {"done"}


def test_each_milestone_is_set_by_its_stage_and_none_by_1004_or_1017() -> None:
    assert {m["id"]: m["stage"] for m in describe_milestones()} == {
        name: code for name, (_, _, code) in SPEC.items()
    }
    assert not module.tells(1004) and not module.tells(1017) and module.tells(1018)


def test_nothing_is_said_before_it_has_happened() -> None:
    told = timeline(passed(1001, 1002), PLAIN, "en")
    assert [m.state for m in told] == ["done", "current", *["coming"] * 10]
    assert all((m.sentence is None) == (m.at is None) == (m.state == "coming") for m in told)


@pytest.mark.parametrize("language", ["en", "hi", "ar"])
def test_every_language_tells_all_twelve_in_its_own_words(language: str) -> None:
    told = timeline(every_stage(), PLAIN, language)
    assert len(told) == 12 and all(m.title and m.sentence for m in told)
    if language != "en":
        assert not {m.sentence for m in told} & {words for _, words, _ in SPEC.values()}


def test_an_unknown_language_gets_english() -> None:
    assert timeline(every_stage(), PLAIN, "fr") == timeline(every_stage(), PLAIN, "en")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "To pay at the door: AED 3,148.00."),
        ("hi", "दरवाज़े पर देय राशि: AED 3,148.00।"),
        ("ar", "المبلغ المطلوب عند الباب: AED 3,148.00."),
    ],
)
def test_cash_on_delivery_is_not_called_verified(language: str, words: str) -> None:
    owing = msgspec.structs.replace(PLAIN, at_door_minor=314800)
    assert by_id(timeline(passed(1001, 1002), owing, language))["T2"].sentence == words
    assert sentence(1002, owing, language)[1] == words


def test_a_part_paid_order_says_both() -> None:
    owing = msgspec.structs.replace(PLAIN, at_door_minor=5000, paid_minor=100)
    told = by_id(timeline(passed(1001, 1002), owing, "en"))
    assert told["T2"].sentence == "First payment verified. To pay at the door: AED 50.00."


def test_after_the_delivery_nothing_is_to_be_paid_at_the_door() -> None:
    owing = msgspec.structs.replace(PLAIN, at_door_minor=314800)
    told = by_id(timeline(passed(*range(1001, 1014)), owing, "en"))
    assert told["T2"].sentence == SPEC["T2"][1]


def test_goods_from_a_store_are_not_said_to_come_from_a_warehouse() -> None:
    store = msgspec.structs.replace(PLAIN, ship_from="store")
    told = by_id(timeline(every_stage(), store, "en"))
    assert told["T3"].sentence == "Inventory allocated from store."
    assert told["T4"].sentence == "Store team initiated packaging."


def test_collection_at_the_counter_has_no_transport() -> None:
    counter = msgspec.structs.replace(PLAIN, collection=True)
    told = by_id(timeline(every_stage(), counter, "en"))
    assert {"T6", "T7", "T8"} & told.keys() == set()
    assert told["T9"].sentence == "Customer collected the items at the counter."


def test_what_does_not_apply_leaves_no_line() -> None:
    small = msgspec.structs.replace(PLAIN, needs_install=False, has_warranty=False)
    assert by_id(timeline([], small, "en")).keys() == {f"T{n}" for n in range(1, 10)}
    recorded = passed(1001) + passed(1010, how="not_applicable")
    assert "T7" not in by_id(timeline(recorded, PLAIN, "en"))


def test_an_implied_scan_is_shown_and_says_so() -> None:
    reached = passed(*range(1001, 1009)) + passed(1009, 1010, how="implied") + passed(1012)
    told = by_id(timeline(reached, PLAIN, "en"))
    assert (told["T6"].how, told["T7"].how, told["T8"].how) == ("implied", "implied", "done")
    assert told["T8"].state == "current"


def test_the_phone_says_when_but_never_later_than_we_knew() -> None:
    early, late = START - timedelta(hours=2), START + timedelta(days=2)
    for captured, shown in ((early, early), (late, START)):
        step = Reached(stage=1001, how="done", recorded_at=START, captured_at=captured)
        assert timeline([step], PLAIN, "en")[0].at == shown


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (314800, "AED", "AED 3,148.00"),
        (333333, "KWD", "KWD 333.333"),
        (12345678, "INR", "INR 1,23,456.78"),
        (5, "QAR", "QAR 0.05"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(
    minor: int, currency: str, written: str
) -> None:
    assert format_amount(minor, currency) == written


def test_parcels_are_counted_in_words() -> None:
    assert delivered_words(1, 2, "en") == "1 of 2 delivered"
    assert "2" in delivered_words(1, 2, "hi") and "1" in delivered_words(1, 2, "ar")
