"""What a device says of itself in every event that it sends."""

from __future__ import annotations

from typing import Any

from doorstep.core.clock import now
from doorstep.core.ids import uuid7


def event(**other: Any) -> dict[str, Any]:
    """A new event."""
    return {"event_id": uuid7()} | other


def capture(**other: Any) -> dict[str, Any]:
    """A new event, captured now."""
    return event(captured_at=now()) | other
