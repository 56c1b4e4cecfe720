"""What the engine says and hears: answers, facts, and the reactions bound to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from doorstep.core.actor import Actor
from doorstep.journey.rules import Evidence, Step, Verdict


class Answer(msgspec.Struct, frozen=True):
    """What became of a step; the same event_id always gets the same answer."""

    verdict: Verdict
    reason: str
    event_id: UUID
    stage: int
    progress: int


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is now true of a fulfilment, as its reactions see it."""

    name: str
    event_id: UUID
    """The event that is being recorded; a stage that it implies has an event of its own."""
    order_id: UUID
    fulfilment_id: UUID
    fulfilment: dict[str, Any]
    actor: Actor
    attempt: int
    evidence: tuple[Evidence, ...]
    data: dict[str, Any]


Reaction = Callable[[Fact], Awaitable[None]]


class Claim(NamedTuple):
    """A step somebody claims of a fulfilment."""

    event_id: UUID
    fulfilment_id: UUID
    step: Step
    captured_at: datetime


_reactions: Mapping[str, Sequence[Reaction]] | None = None


def bind(reactions: Mapping[str, Sequence[Reaction]]) -> None:
    """Give the engine the second table; called once by each composition root."""
    global _reactions  # noqa: PLW0603 - the table is bound once per process.
    _reactions = reactions


def reactions_to(name: str) -> Sequence[Reaction]:
    """List what an event sets off.

    Raises: RuntimeError while no table is bound.
    """
    if _reactions is None:
        raise RuntimeError("the journey has no reactions: call journey.bind() at start")
    return _reactions.get(name, ())


def derived_id(fulfilment_id: UUID, name: str, attempt: int = 1) -> UUID:
    """Make the event id of a step of our own, so that a job that runs twice passes the same one."""
    return uuid5(NAMESPACE_URL, f"doorstep:{fulfilment_id}:{name}:{attempt}")
