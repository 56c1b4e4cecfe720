"""Times as other systems write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from doorstep.ports import EventUnreadable


def parse_time(text: str) -> datetime:
    """Read an ISO time with up to nine fractional digits (they send seven); no zone means UTC.

    Raises: EventUnreadable.
    """
    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        moment = datetime.fromisoformat(trimmed)
    except ValueError as broken:
        raise EventUnreadable(f"Not a time: {text[:40]!r}") from broken
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
