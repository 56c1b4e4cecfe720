"""Violations for the doctor to find, department by department: the words for each → its plant."""

from __future__ import annotations

from tests.support.plants import (
    earnings,
    extras,
    journey,
    links,
    messages,
    money,
    places,
    push,
    road,
    stock,
)
from tests.support.plants.plant import Plant

DEPARTMENTS = (journey, stock, road, money, messages, push, places, extras, earnings, links)
PLANTS: dict[str, Plant] = {
    words: plant for department in DEPARTMENTS for words, plant in department.PLANTS.items()
}
assert len(PLANTS) == sum(len(department.PLANTS) for department in DEPARTMENTS), "words twice"
