"""The time of a device, as it was when something was captured."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, datetime
from typing import Annotated

from msgspec import Meta, Struct

Moment = Annotated[datetime, Meta(tz=True)]
"""A device's own time: shown and kept, never trusted for order, nor for money but within what the
server itself knows: earnings count what was captured between its earliest and latest moment (IC6)."""


class Captured(Struct):
    """A base of what is captured at a moment: its `captured_at` can be kept as it is.

    The edges of the calendar cannot: the driver stores them as infinity, which no reader of JSON
    takes for a moment, or they lie outside it in UTC. Raises ValueError, which decoding answers.
    """

    def __post_init__(self) -> None:
        refuse_edge("captured_at", self.captured_at)  # type: ignore[attr-defined]


def refuse_edge(name: str, moment: datetime) -> None:
    """Let a moment pass that can be kept as it is.

    Raises: ValueError.
    """
    if not MINYEAR < moment.year < MAXYEAR:
        raise ValueError(f"`{name}` is at the edge of the calendar.")
