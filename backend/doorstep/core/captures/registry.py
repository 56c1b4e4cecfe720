"""What each type of event does, as the door it comes through has registered it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core.actor import Actor

Then = Callable[[], Awaitable[object]]


class Outcome(NamedTuple):
    """What became of an event. `then` follows in transactions of its own; a job makes sure of it."""

    verdict: str = "applied"
    reason: str = ""
    then: Then | None = None


@dataclass(frozen=True)
class Capture:
    """An event whose envelope could be read, with its payload."""

    event_id: UUID
    type: str
    schema: int
    captured_at: datetime
    payload: dict[str, Any]


class NotValid(Exception):
    """The payload is not what its type demands; the words go to the phone."""


class NewerThanUs(Exception):
    """A phone of a version that this server does not know yet: the next one will carry it out."""


@dataclass(frozen=True)
class CaptureType:
    """Who may capture it, and what it does: the flow of the operation it stands for."""

    permission: str
    carry_out: Callable[[Capture, Actor], Awaitable[Outcome]]


TYPES: dict[str, CaptureType] = {}
"""Every type of event there is, once the doors are imported."""


def register(name: str, known: CaptureType) -> None:
    """Let events of this type be carried out so.

    Raises: ValueError when two doors claim it.
    """
    if TYPES.setdefault(name, known) is not known:
        raise ValueError(f"Two types of events are called {name}.")
