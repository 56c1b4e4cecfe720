"""Which goods are in which box. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID


class Placed(NamedTuple):
    """A piece of goods, the n-th of its line, and the number of the box that it is in, from 0."""

    fulfilment_line_id: UUID
    n: int
    box: int


class GoodsDiffer(Exception):
    """The boxes do not hold what the goods make, each piece once; the message says how."""


def placed(made: Mapping[UUID, int], boxes: Sequence[Sequence[tuple[UUID, int]]]) -> list[Placed]:
    """Tell where each piece is: `made` are the pieces of each line, `boxes` what was said of each box.

    Where nothing was said, it is told as far as it can be no other way: all of it in the one box, or
    the goods of the one line a box each. Nobody guesses the rest.

    Raises: GoodsDiffer where something was said, and is not each piece once, or leaves a box empty.
    """
    if not any(boxes):
        return _certain(made, len(boxes))
    if not all(boxes):
        raise GoodsDiffer("A box has no goods in it.")
    found = [Placed(line, n, box) for box, goods in enumerate(boxes) for line, n in goods]
    said = sorted((one.fulfilment_line_id, one.n) for one in found)
    if said != sorted(_each(made)):
        raise GoodsDiffer("The boxes do not hold each piece of the goods once.")
    return found


def _certain(made: Mapping[UUID, int], boxes: int) -> list[Placed]:
    if boxes == 1:
        return [Placed(line, n, 0) for line, n in _each(made)]
    if len(made) == 1 and boxes == sum(made.values()):
        return [Placed(line, n, n - 1) for line, n in _each(made)]
    return []


def _each(made: Mapping[UUID, int]) -> list[tuple[UUID, int]]:
    return [(line, n) for line, pieces in made.items() for n in range(1, pieces + 1)]
