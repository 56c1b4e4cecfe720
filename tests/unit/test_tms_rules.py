"""Transport decides without a database: numbers, windows, recipes, codes, money at the door."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.modules.tms import rules
from doorstep.modules.tms.rules import Capture, Recipe

DUBAI = ZoneInfo("Asia/Dubai")
CHANNEL, OTHER, PRODUCT = UUID(int=1), UUID(int=2), UUID(int=3)

FULL = Capture(
    scanned_labels=("DS1-1", "DS1-2"),
    photo_slots=("parcel",),
    has_code=True,
    has_signature=True,
    receiver_name="Aisha",
    has_place=True,
    tendered_minor=500,
)


def test_the_awb_has_the_check_digit_of_the_postal_standard() -> None:
    # RR 47312482 9 is the example of UPU S10.
    assert rules.make_awb(47312482, "AE") == "DS473124829AE"
    assert rules.awb_is_sound("DS473124829AE")


@given(st.integers(0, 99_999_999), st.integers(0, 8), st.integers(1, 9))
def test_a_misread_digit_of_an_awb_is_found(number: int, place: int, shift: int) -> None:
    awb = rules.make_awb(number, "QA")
    at = 2 + place
    misread = awb[:at] + str((int(awb[at]) + shift) % 10) + awb[at + 1 :]
    # S10 maps two remainders to the digits 0 and 5, so only there may one digit hide a mistake.
    if awb[10] not in "05":
        assert not rules.awb_is_sound(misread)


def test_an_awb_of_another_shape_is_not_sound() -> None:
    assert not rules.awb_is_sound("P0109276342")


@pytest.mark.parametrize(
    ("asked", "service", "start", "end"),
    [
        ("06:00", "standard", "09:00", "18:00"),
        ("10:00", "standard", "10:00", "18:00"),
        ("14:00", "standard", "09:00+1", "18:00+1"),
        ("14:00", "express", "14:00", "18:00"),
        ("18:00", "overnight", "09:00+1", "18:00+1"),
    ],
)
def test_the_pickup_window_is_the_next_one_of_the_service(
    asked: str, service: str, start: str, end: str
) -> None:
    def at(text: str) -> datetime:
        clock, _, later = text.partition("+")
        return datetime.combine(
            date(2026, 11, 23 + int(later or 0)), time.fromisoformat(clock), DUBAI
        )

    window = rules.pickup_window(at(asked), time(9), time(18), DUBAI, service)
    assert window == (at(start), at(end))


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(rules.PickupWindowImpossible):
        rules.pickup_window(datetime.now(UTC), time(18), time(9), DUBAI, "standard")


def test_codes_have_six_digits_and_their_hash_belongs_to_one_attempt() -> None:
    codes = {
        rules.make_code(fulfilment, attempt, secret)
        for fulfilment in (CHANNEL, OTHER)
        for attempt in (1, 2)
        for secret in ("a", "b")
    }
    assert len(codes) == 8
    assert all(len(code) == rules.CODE_DIGITS and code.isdigit() for code in codes)
    code = rules.make_code(CHANNEL, 1, "a")
    assert code in codes, "told again it is the same"
    hashes = {
        rules.hash_code(code, fulfilment, attempt, secret)
        for fulfilment in (CHANNEL, OTHER)
        for attempt in (1, 2)
        for secret in ("a", "b")
    }
    assert len(hashes) == 8


def choose(*own: Recipe, payment: str = "prepaid", handed_to: str = "customer") -> Recipe:
    return rules.choose_recipe(
        own, channel_id=CHANNEL, product_ids=[PRODUCT], payment=payment, handed_to=handed_to
    )


def test_the_defaults_ask_for_three_proofs_and_for_the_money() -> None:
    assert choose().proofs == ("scan", "photo", "code")
    assert choose(payment="cod").proofs == ("scan", "photo", "code", "tender")
    assert choose(handed_to="other").proofs == ("receiver", "photo")
    assert choose(handed_to="other", payment="cod").proofs == ("receiver", "photo", "tender")


def test_the_most_closely_written_recipe_wins() -> None:
    anywhere = Recipe(("scan",))
    here = Recipe(("place",), channel_id=CHANNEL)
    elsewhere = Recipe(("receiver",), channel_id=OTHER)
    these_goods = Recipe(("signature",), product_id=PRODUCT)
    assert choose(anywhere) == anywhere
    assert choose(anywhere, here, elsewhere) == here
    assert choose(anywhere, these_goods, here, elsewhere) == these_goods


def test_a_full_capture_lacks_nothing() -> None:
    everything = Recipe(
        ("scan", "photo", "code", "signature", "receiver", "place", "tender"), ("parcel",)
    )
    assert not rules.missing_proofs(everything, FULL, labels=["DS1-1", "DS1-2"], due_minor=500)


@pytest.mark.parametrize(
    ("proof", "less", "named"),
    [
        ("scan", {"scanned_labels": ("DS1-1",)}, "scan"),
        ("photo", {"photo_slots": ("door",)}, "photo:parcel"),
        ("code", {"has_code": False}, "code"),
        ("signature", {"has_signature": False}, "signature"),
        ("receiver", {"receiver_name": "  "}, "receiver"),
        ("place", {"has_place": False}, "place"),
        ("tender", {"tendered_minor": 0}, "tender"),
    ],
)
def test_each_proof_that_is_not_brought_is_named(
    proof: str, less: dict[str, object], named: str
) -> None:
    recipe = Recipe((proof,), ("parcel",) if proof == "photo" else ())
    capture = FULL._replace(**less)
    assert rules.missing_proofs(recipe, capture, labels=["DS1-1", "DS1-2"], due_minor=500) == [
        named
    ]


def test_no_tender_is_asked_where_nothing_is_due() -> None:
    capture = FULL._replace(tendered_minor=0)
    assert not rules.missing_proofs(Recipe(("tender",)), capture, labels=[], due_minor=0)


def test_a_wrong_code_holds_and_a_right_or_unasked_one_does_not() -> None:
    assert rules.hold_reason(code_ok=True, code_issued=True) is None
    assert rules.hold_reason(code_ok=None, code_issued=True) is None
    assert "wrong" in (rules.hold_reason(code_ok=False, code_issued=True) or "")
    assert "issued" in (rules.hold_reason(code_ok=False, code_issued=False) or "")


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=6))
def test_the_shares_of_the_parcels_are_what_is_owed_and_the_later_ones_at_most_their_goods(
    owed: int, prices: list[int]
) -> None:
    goods = {UUID(int=n): price for n, price in enumerate(prices)}
    shares = rules.share_at_door(owed, goods)
    assert sum(shares.values()) == max(0, owed) and min(shares.values()) >= 0
    assert all(shares[parcel] <= goods[parcel] for parcel in [*goods][1:])


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=6), st.integers(0, 10**6), st.data())
def test_a_parcel_asks_the_same_whether_or_not_the_others_have_been_paid(
    prices: list[int], shipping: int, data: st.DataObject
) -> None:
    goods = {UUID(int=n): price for n, price in enumerate(prices)}
    owed = sum(prices) + shipping
    asked = rules.share_at_door(owed, goods)
    order = data.draw(st.permutations([*goods]))
    for done, parcel in enumerate(order):
        left = {one: price for one, price in goods.items() if one not in order[:done]}
        taken = sum(asked[one] for one in order[:done])
        assert rules.share_at_door(owed - taken, left)[parcel] == asked[parcel]


def test_other_money_than_due_differs() -> None:
    assert not rules.tender_differs(500, 500)
    assert rules.tender_differs(500, 499)
    assert rules.tender_differs(0, 1)


def test_the_scan_that_came_last_completes_the_shipment() -> None:
    scans = [
        {"scan_uid": "b", "recorded_at": "2026-11-23T10:00:00+00:00"},
        {"scan_uid": "a", "recorded_at": "2026-11-23T10:00:01+00:00"},
        {"scan_uid": "c", "recorded_at": "2026-11-23T10:00:00+00:00"},
    ]
    assert rules.completing_scan(scans)["scan_uid"] == "a"


def test_the_same_strokes_have_the_same_hash() -> None:
    assert rules.hash_strokes([[(1.0, 2.0, 3)]]) == rules.hash_strokes([[(1.0, 2.0, 3)]])
    assert rules.hash_strokes([[(1.0, 2.0, 3)]]) != rules.hash_strokes([[(1.0, 2.0, 4)]])
