"""The fleet decides without a database: what fits, whose the goods are, what is still held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.modules.tms.fleet_rules import (
    FLOOR,
    Explained,
    Goods,
    Room,
    Seen,
    hand_of,
    holding,
    last_of,
    loaded,
    obstacle,
    share_out,
    unexplained,
)

ROOM = Room(people=2, capacity_kg=100, capacity_l=500)
SHIFT, OTHER, PARCEL = UUID(int=1), UUID(int=2), UUID(int=3)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def seen(label: str, by: UUID | str | None, minute: int = 0) -> Seen:
    shift = by if isinstance(by, UUID) else None
    at = None if by is None else NOON + timedelta(minutes=minute)
    return Seen(label, shift, by == FLOOR, at, UUID(int=100 + minute))


@pytest.mark.parametrize(
    ("goods", "kind"),
    [
        (Goods(2, 100_000, 500_000), None),
        (Goods(3, 1, 1), "crew"),
        (Goods(1, 100_001, 1), "vehicle"),
        (Goods(1, 1, 500_001), "vehicle"),
    ],
)
def test_what_fits_exactly_fits_and_a_gram_more_does_not(goods: Goods, kind: str | None) -> None:
    found = obstacle(ROOM, goods)
    assert (found and found.kind) == kind


def test_a_refusal_never_names_a_number_that_would_fit() -> None:
    found = obstacle(ROOM, Goods(1, 100_001, 1))
    assert found and found.words == "The vehicle takes 100 kg; it would carry 101 kg."


parcels = st.lists(
    st.builds(Goods, st.integers(1, 3), st.integers(1, 60_000), st.integers(1, 300_000)),
    max_size=12,
)


@given(parcels)
def test_what_is_shared_out_never_exceeds_the_room_and_leaves_nothing_out_that_fits(
    wanted: list[Goods],
) -> None:
    told = share_out(ROOM, wanted)
    room = ROOM
    for goods, found in zip(wanted, told, strict=True):
        assert found == obstacle(room, goods)
        if found is None:
            room = room.with_load(goods)
    assert room.weight_g <= room.capacity_kg * 1000 and room.volume_ml <= room.capacity_l * 1000


def test_a_parcel_is_in_one_hand_only_when_every_box_is() -> None:
    assert hand_of([seen("A", SHIFT), seen("B", SHIFT)]) == SHIFT
    assert hand_of([seen("A", FLOOR), seen("B", FLOOR)]) == FLOOR
    assert hand_of([seen("A", SHIFT), seen("B", OTHER)]) is None
    assert hand_of([seen("A", SHIFT), seen("B", FLOOR)]) is None
    assert hand_of([seen("A", SHIFT), seen("B", None)]) is None
    assert hand_of([seen("A", None)]) is None and hand_of([]) is None


def test_the_box_that_was_seen_last_completes_the_parcel() -> None:
    assert last_of([seen("A", SHIFT, 5), seen("B", SHIFT, 2), seen("C", None)]).label_no == "A"


def test_each_box_is_delivered_back_or_explained() -> None:
    boxes = [seen("A", SHIFT), seen("B", FLOOR), seen("C", SHIFT)]
    assert unexplained(PARCEL, boxes, []) == ["A", "C"]
    assert unexplained(PARCEL, boxes, [Explained("A", None)]) == ["C"]
    assert unexplained(PARCEL, boxes, [Explained("A", None), Explained("C", None)]) == []
    assert unexplained(PARCEL, boxes, [Explained(None, PARCEL)]) == []
    assert unexplained(PARCEL, boxes, [Explained(None, OTHER)]) == ["A", "C"]
    assert unexplained(PARCEL, boxes[:1], []) is None
    assert unexplained(PARCEL, [], [Explained("A", None)]) is None


def test_what_is_held_is_said_in_one_sentence() -> None:
    assert holding(["AED 3,148.00"], [("Fridge", 1)], []) == "You hold AED 3,148.00 and 1 Fridge."
    goods = [("Kettle", 2), ("Fridge", 1), ("Kettle", 1)]
    assert holding([], goods, ["X-2"]) == "You hold 1 Fridge, 3 Kettle and box X-2."
    assert holding([], [], ["X-1", "X-2"]) == "You hold boxes X-1, X-2."
    assert holding([], [], []) == "You hold nothing."
    assert loaded(47, 48) == "47 of 48"
