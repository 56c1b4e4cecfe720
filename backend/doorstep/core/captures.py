"""What every capture of a device has in common: the device's own time."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, datetime
from typing import Annotated

from msgspec import Meta, Struct

Moment = Annotated[datetime, Meta(tz=True)]
"""A device's own time: shown and kept, never trusted for order or money."""


class Captured(Struct):
    """A base of what is captured at a moment: its `captured_at` can be kept as it is.

    The edges of the calendar cannot: the driver stores them as infinity, which no reader of JSON
    takes for a moment, or they lie outside it in UTC. Raises ValueError, which decoding answers.
    """

    def __post_init__(self) -> None:
        moment: datetime = self.captured_at  # type: ignore[attr-defined]
        if not MINYEAR < moment.year < MAXYEAR:
            raise ValueError("`captured_at` is at the edge of the calendar.")
