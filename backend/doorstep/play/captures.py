"""What a field worker's phone puts into a capture: its id, moment and place, and the pictures."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from doorstep.core import clock
from doorstep.play.pictures import photo
from doorstep.play.visitors import Visitor, new_event
from doorstep.seed.catalogue import CHANNELS


def now() -> str:
    """Say the moment as the phone does."""
    return clock.now().isoformat()


def today(channel: str) -> date:
    """Say the day as a desk of the channel does, by its own clock."""
    zone = next(one.zone for one in CHANNELS if one.code == channel)
    return clock.now().astimezone(ZoneInfo(zone)).date()


def step() -> dict[str, Any]:
    """Begin the body of a step: a new event, captured now."""
    return {"event_id": new_event(), "captured_at": now()}


def place(address: dict[str, Any]) -> dict[str, Any] | None:
    """Stand where the address is, if anybody knows."""
    if address["lat"] is None:
        return None
    return {"lat": address["lat"], "lng": address["lng"], "accuracy_m": 12.0}


async def photo_for(visitor: Visitor, words: str, slot: str, label: str = "") -> dict[str, str]:
    """Take the photo that a slot asks for, of the box with that label, and send it."""
    return {"slot": slot, "sha256": await visitor.upload(photo(f"{words} {slot}", label))}
