"""Which short goods an announced arrival covers, decided without a database."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from doorstep.modules.wms.rules.backorders import Coming, ShortParcel, expected_dates

KETTLE, MIXER = UUID(int=1), UUID(int=2)
VENDOR = UUID(int=9)
FIRST, SECOND = UUID(int=11), UUID(int=12)
DAY = date(2026, 12, 1)


def after(days: int) -> date:
    return DAY + timedelta(days=days)


def test_a_parcel_is_expected_when_the_last_of_its_goods_comes() -> None:
    coming = [Coming(MIXER, 1, after(5)), Coming(KETTLE, 2, after(1)), Coming(MIXER, 9, after(3))]
    parcel = ShortParcel(FIRST, {KETTLE: 2, MIXER: 4})
    assert expected_dates([parcel], coming) == {FIRST: after(3)}


def test_what_is_not_covered_wholly_has_no_date_and_takes_nothing() -> None:
    waiting = [ShortParcel(FIRST, {KETTLE: 1, MIXER: 5}), ShortParcel(SECOND, {KETTLE: 1})]
    coming = [Coming(KETTLE, 1, after(1)), Coming(MIXER, 4, after(1))]
    assert expected_dates(waiting, coming) == {SECOND: after(1)}


def test_the_first_is_served_first() -> None:
    waiting = [ShortParcel(FIRST, {KETTLE: 2}), ShortParcel(SECOND, {KETTLE: 2})]
    coming = [Coming(KETTLE, 2, after(1)), Coming(KETTLE, 2, after(8))]
    assert expected_dates(waiting, coming) == {FIRST: after(1), SECOND: after(8)}


def test_a_vendor_who_has_said_no_is_not_waited_for() -> None:
    parcel = ShortParcel(FIRST, {KETTLE: 1}, frozenset({VENDOR}))
    assert expected_dates([parcel], [Coming(KETTLE, 5, after(1), VENDOR)]) == {}
    assert expected_dates([parcel], [Coming(KETTLE, 5, after(2), None)]) == {FIRST: after(2)}


@given(
    st.lists(st.dictionaries(st.sampled_from([KETTLE, MIXER]), st.integers(1, 5), min_size=1)),
    st.lists(st.tuples(st.sampled_from([KETTLE, MIXER]), st.integers(1, 6), st.integers(1, 9))),
)
def test_nothing_is_promised_twice(
    wanted: list[dict[UUID, int]], coming: list[tuple[UUID, int, int]]
) -> None:
    waiting = [ShortParcel(UUID(int=100 + n), pieces) for n, pieces in enumerate(wanted)]
    announced = [Coming(product, pieces, after(days)) for product, pieces, days in coming]
    dates = expected_dates(waiting, announced)
    for day in {one.expected_on for one in announced}:
        for product in (KETTLE, MIXER):
            promised = sum(
                p.pieces.get(product, 0) for p in waiting if dates.get(p.id, after(99)) <= day
            )
            there = sum(
                c.pieces for c in announced if c.product_id == product and c.expected_on <= day
            )
            assert promised <= there
