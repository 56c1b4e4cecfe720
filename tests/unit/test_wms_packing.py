"""Which goods are in which box: as it was said, and otherwise only what can be no other way."""

from __future__ import annotations

from uuid import UUID

import pytest

from doorstep.modules.wms.rules.packing import GoodsDiffer, Placed, placed

MACHINE, KETTLE = UUID(int=1), UUID(int=2)


def test_what_was_said_is_kept() -> None:
    said = [[(MACHINE, 2), (KETTLE, 1)], [(MACHINE, 1)]]
    assert placed({MACHINE: 2, KETTLE: 1}, said) == [
        Placed(MACHINE, 2, 0),
        Placed(KETTLE, 1, 0),
        Placed(MACHINE, 1, 1),
    ]


def test_where_nothing_was_said_it_is_told_only_if_it_can_be_no_other_way() -> None:
    assert placed({MACHINE: 1, KETTLE: 2}, [[]]) == [
        Placed(MACHINE, 1, 0),
        Placed(KETTLE, 1, 0),
        Placed(KETTLE, 2, 0),
    ]
    assert placed({KETTLE: 2}, [[], []]) == [Placed(KETTLE, 1, 0), Placed(KETTLE, 2, 1)]
    assert placed({KETTLE: 3}, [[], []]) == []
    assert placed({MACHINE: 1, KETTLE: 1}, [[], []]) == []


@pytest.mark.parametrize(
    "said",
    [
        [[(MACHINE, 1)], []],
        [[(MACHINE, 1)]],
        [[(MACHINE, 1), (KETTLE, 1), (KETTLE, 2)]],
        [[(MACHINE, 1)], [(MACHINE, 1), (KETTLE, 1)]],
        [[(MACHINE, 1), (KETTLE, 1), (UUID(int=3), 1)]],
    ],
)
def test_boxes_that_hold_other_goods_are_refused(said: list[list[tuple[UUID, int]]]) -> None:
    with pytest.raises(GoodsDiffer):
        placed({MACHINE: 1, KETTLE: 1}, said)
