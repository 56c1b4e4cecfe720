"""Everybody in the field: what to look at before a shift ends (SPEC P20)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import get, post
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import Captured, Moment
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.flows import shift
from doorstep.modules.wms.rules.shifts import Answer, is_usual
from doorstep.modules.wms.schemas import Words
from doorstep.modules.wms.service import shifts

TAGS = ["warehouse"]
ItemCode = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class ShiftItem(Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing to look at."""

    code: ItemCode
    words: Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00]+$")]


class AskedItem(Struct):
    """One thing to look at; a `usual` one is Doorstep's own, and a phone has its words in each language."""

    code: str
    words: str
    usual: bool


class ShiftChecklistOut(Struct):
    """What the person looks at, and when the person has answered last."""

    items: list[AskedItem]
    last_answered_at: datetime | None


class ShiftAnswer(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether a thing is as it should be, and what is missing where it is not."""

    code: ItemCode
    ok: bool
    words: Words = ""


class ShiftAnswersIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """All answers of one shift; the device makes `event_id`, so that a repeat is known."""

    event_id: UUID
    captured_at: Moment
    answers: Annotated[list[ShiftAnswer], Meta(min_length=1, max_length=50)]


class ShiftAnswersOut(Struct):
    """The answers are kept; what is `missing` is now a desk's problem."""

    event_id: UUID
    missing: list[str]


@get(
    "/field/shift-checklist",
    operation_id="readShiftChecklist",
    opt=needs("wms:shift:write"),
    tags=TAGS,
)
async def read_checklist(actor: Actor) -> ShiftChecklistOut:
    """Show what to look at before the shift ends, by role and location."""
    items = await shifts.items_for(actor.role, actor.location_id)
    answered = None
    if actor.person_id is not None:
        answered = await shifts.last_answered_at(actor.person_id)
    asked = [AskedItem(item.code, item.words, is_usual(actor.role, item)) for item in items]
    return ShiftChecklistOut(asked, answered)


@post(
    "/field/shift-checklist",
    operation_id="answerShiftChecklist",
    opt=needs("wms:shift:write"),
    status_code=200,
    responses=problems(shifts.ChecklistIncomplete, EventIdReused),
    tags=TAGS,
)
async def answer_checklist(data: ShiftAnswersIn, actor: Actor) -> ShiftAnswersOut:
    """Answer item by item at the end of a shift."""
    answers = [Answer(one.code, one.ok, one.words) for one in data.answers]
    missing = await shift.answer(data.event_id, answers, actor=actor, captured_at=data.captured_at)
    return ShiftAnswersOut(data.event_id, missing)


handlers = [read_checklist, answer_checklist]
"""The routes of this door."""
