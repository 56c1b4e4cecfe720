"""What crm decides about contact data, addresses, links and warranties, without a database."""

from __future__ import annotations

import hashlib
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.modules.crm import rules
from doorstep.modules.crm.rules import AddressText, Line

WHOLE = AddressText(
    line1="Al Wasl Road 7",
    building="Tower B",
    floor="12",
    flat="1204",
    lift=True,
    city="Dubai",
    lat=25.2,
)


@pytest.mark.parametrize(
    ("raw", "country", "written"),
    [
        ("050 123 4567", "AE", "+971501234567"),
        ("+971 50-123-4567", "QA", "+971501234567"),
        ("3312 3456", "QA", "+97433123456"),
        ("098765 43210", "IN", "+919876543210"),
        ("5001 2345", "KW", "+96550012345"),
    ],
)
def test_a_phone_number_is_written_as_e164(raw: str, country: str, written: str) -> None:
    assert rules.normalise_phone(raw, country) == written


@pytest.mark.parametrize("raw", ["", "12", "050 12", "no number", "+999 123 456 789"])
def test_a_number_that_cannot_be_reached_is_refused(raw: str) -> None:
    with pytest.raises(rules.PhoneUnusable):
        rules.normalise_phone(raw, "AE")


def test_an_email_is_normalised_and_its_domain_is_not_looked_up() -> None:
    assert rules.normalise_email(" Aisha@EXAMPLE.com ") == "Aisha@example.com"


@pytest.mark.parametrize("raw", ["aisha", "a@b", "a b@example.com", "@example.com"])
def test_what_is_no_email_is_refused(raw: str) -> None:
    with pytest.raises(rules.EmailUnusable):
        rules.normalise_email(raw)


def test_our_own_api_wants_at_least_one_way_to_reach_the_customer() -> None:
    with pytest.raises(rules.ContactMissing):
        rules.check_contact("", " ", "AE")
    assert rules.check_contact("", "a@example.com", "AE").phone is None
    with pytest.raises(rules.PhoneUnusable):
        rules.check_contact("12", "a@example.com", "AE")


def test_a_sold_order_keeps_what_is_usable_and_names_the_rest() -> None:
    kept = rules.keep_contact("12", "nobody", "AE")
    assert kept == (None, "", ("phone", "email"))
    assert rules.keep_contact("0501234567", "", "AE") == ("+971501234567", "", ())


def test_a_whole_address_lacks_nothing() -> None:
    assert rules.missing_parts(WHOLE, "AE") == []


def test_india_wants_its_pin_code_too() -> None:
    assert rules.missing_parts(WHOLE, "IN") == ["postcode"]


def test_what_is_missing_is_named_in_a_fixed_order() -> None:
    bare = AddressText(line1="Al Wasl Road 7", city="Dubai")
    assert rules.missing_parts(bare, "AE") == ["building", "floor", "flat", "lift", "pin"]
    assert rules.check_address(bare, "AE") == ["building", "floor", "flat", "lift", "pin"]


def test_on_the_ground_floor_nobody_asks_for_a_lift() -> None:
    ground = AddressText(
        line1="x", building="Villa 3", floor="Ground", flat="-", city="Dubai", lat=25.0
    )
    assert rules.missing_parts(ground, "AE") == []


def test_an_address_without_street_or_city_is_refused() -> None:
    with pytest.raises(rules.AddressUnusable) as refused:
        rules.check_address(AddressText(line1=" ", city=""), "AE")
    assert refused.value.facts == {"missing": ["line1", "city"]}


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("hi-IN,en;q=0.8", "hi"), ("ar_AE", "ar"), ("fr, ar", "ar"), ("fr", "en"), (None, "en")],
)
def test_the_first_language_we_serve_is_chosen(wanted: str | None, language: str) -> None:
    assert rules.choose_language(wanted) == language


def test_a_link_has_at_least_128_random_bits_and_only_its_hash_is_kept() -> None:
    token, token_hash = rules.new_token()
    assert len(token) == 24 and rules.TOKEN_BYTES * 8 >= 128
    assert token_hash == hashlib.sha256(token.encode()).digest() == rules.hash_token(token)
    assert rules.new_token()[0] != token


def test_certificate_numbers_cannot_be_counted_through() -> None:
    numbers = {rules.new_warranty_number() for _ in range(1000)}
    assert len(numbers) == 1000
    assert all(number.startswith("WR-") and len(number) == 15 for number in numbers)


@pytest.mark.parametrize(
    ("starts_on", "months", "ends_on"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 1), 3, date(2028, 3, 1)),
        (date(2026, 11, 23), 24, date(2028, 11, 23)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
    ],
)
def test_a_warranty_ends_on_the_same_day_of_a_later_month(
    starts_on: date, months: int, ends_on: date
) -> None:
    assert rules.warranty_end(starts_on, months) == ends_on


@given(
    quantity=st.integers(1, 20),
    serials=st.lists(st.text("ABC123", min_size=4), unique=True, max_size=20),
    months=st.sampled_from([0, 12, 36]),
)
def test_every_piece_is_covered_exactly_once(
    quantity: int, serials: list[str], months: int
) -> None:
    units = {serial: UUID(int=n + 1) for n, serial in enumerate(serials[:quantity])}
    line = Line(UUID(int=100), UUID(int=200), quantity, months, units)
    found = rules.coverages([line])
    assert sum(one.quantity for one in found) == (quantity if months else 0)
    assert {one.serial for one in found if one.serial} == (set(units) if months else set())
    assert all(one.quantity == 1 for one in found if one.serial)


def test_a_link_shows_a_name_by_its_initials() -> None:
    assert rules.initials("Aisha al Rahman ibn X") == "A. a. R."
    assert rules.initials("") == ""


KNOWN = {"line1": "Al Wasl Road 7", "city": "Dubai", "postcode": ""}


@pytest.mark.parametrize(
    "told",
    [{}, {"floor": "4"}, {"city": " Dubai "}, {"postcode": "00000"}, {"line1": KNOWN["line1"]}],
)
def test_what_an_address_lacks_may_be_told_and_what_it_has_said_again(told: dict[str, str]) -> None:
    rules.check_place(KNOWN, told)


@pytest.mark.parametrize("told", [{"city": "Sharjah"}, {"line1": ""}, {"line1": "Al Wasl Road 8"}])
def test_goods_are_not_sent_to_another_street_or_town(told: dict[str, str]) -> None:
    with pytest.raises(rules.PlaceIsAsSold) as refused:
        rules.check_place(KNOWN, told)
    assert refused.value.facts == {"part": next(iter(told))}
