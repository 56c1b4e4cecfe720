"""Desks: what field workers said about an order, a problem or a capture, with their pictures."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get
from msgspec import Struct

from doorstep.core import previews
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import NotFound
from doorstep.core.http.problems import problems
from doorstep.core.previews import PictureOut
from doorstep.doors.console.problems import require_problem
from doorstep.modules.helpdesk import service as helpdesk

TAGS = ["helpdesk"]


class FieldWord(Struct, kw_only=True):
    """A note, problem, amendment or appeal; `captured_at` is by the phone's clock.

    `about` says what a problem is about, `amends` which capture was wrong, `pod_id` which proof is
    appealed, `problem_id` what a desk was asked by it.
    """

    id: UUID
    kind: str
    person_id: UUID
    person: str
    job_kind: str | None
    job_id: UUID | None
    order_id: UUID | None
    fulfilment_id: UUID | None
    about: str
    amends: UUID | None
    pod_id: UUID | None
    words: str
    photos: list[PictureOut]
    problem_id: UUID | None
    captured_at: datetime
    recorded_at: datetime


@get(
    "/console/orders/{order_id:uuid}/words",
    operation_id="readWordsOfOrder",
    opt=needs("oms:picture:read"),
    responses=problems(NotFound),
    tags=TAGS,
)
async def read_words_of_order(order_id: UUID, actor: Actor) -> list[FieldWord]:
    """List what was said in the field about an order and its parcels, oldest first."""
    await scope(actor).require_order(order_id)
    return await told(await helpdesk.words_of(order_id=order_id), actor)


@get(
    "/problems/{problem_id:uuid}/words",
    operation_id="readWordsOfProblem",
    opt=needs("helpdesk:problem:read"),
    responses=problems(helpdesk.ProblemMissing),
    tags=TAGS,
)
async def read_words_of_problem(problem_id: UUID, actor: Actor) -> list[FieldWord]:
    """List what was said in the field that stands behind a problem, oldest first."""
    await require_problem(actor, problem_id)
    return await told(await helpdesk.words_of(problem_id=problem_id), actor)


async def told(rows: list[dict[str, Any]], actor: Actor) -> list[FieldWord]:
    """Show words with links to their pictures, which end after five minutes."""
    shown = await previews.with_links(rows, viewer=str(actor.person_id))
    return msgspec.convert(shown, list[FieldWord])


handlers = [read_words_of_order, read_words_of_problem]
"""The routes of this door."""
