"""The list of what waits for a person, and closing it (M8)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.auth.guard import CurrentActor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.http.problems import problems
from doorstep.modules.helpdesk import service as helpdesk

TAGS = ["console"]

# {scope} is a condition of core.auth.scope. A problem about no order belongs to every channel, so
# only people of all channels see it.
LIST = """
SELECT p.id, p.kind, p.title, p.detail, p.ref, p.owner_role, p.order_id, o.number AS order_number,
       p.fulfilment_id, p.due_at, p.opened_at,
       extract(epoch FROM $1::timestamptz - p.opened_at)::int AS age_seconds
  FROM problem p LEFT JOIN customer_order o ON o.id = p.order_id
 WHERE p.closed_at IS NULL AND ($2::text IS NULL OR p.owner_role = $2) AND {scope}
 ORDER BY p.opened_at LIMIT $3
"""

SEEN = "SELECT true FROM problem p WHERE p.id = $1 AND {scope}"


class OpenProblem(Struct, kw_only=True):
    """A problem that waits; `age_seconds` is counted from its opening."""

    id: UUID
    kind: str
    title: str
    detail: str
    ref: str
    owner_role: str
    order_id: UUID | None
    order_number: str | None
    fulfilment_id: UUID | None
    due_at: datetime | None
    opened_at: datetime
    age_seconds: int


class CloseProblem(Struct, kw_only=True, forbid_unknown_fields=True):
    """What was done about it, in a few words."""

    words: Annotated[str, Meta(max_length=1000)] = ""


class Closed(Struct, kw_only=True):
    """The problem that is closed now."""

    id: UUID
    state: str


@get(
    "/console/problems",
    operation_id="listProblems",
    opt=needs("helpdesk:problem:read"),
    tags=TAGS,
)
async def list_problems(
    actor: CurrentActor,
    owner_role: Annotated[str | None, QueryParameter(max_length=20)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> list[OpenProblem]:
    """List the open problems of the person's channels, the oldest first."""
    condition, arguments = scope(actor).of_order("p.order_id", first=4)
    found: list[dict[str, Any]] = await db.rows(
        LIST.format(scope=condition), now(), owner_role, limit, *arguments
    )
    return msgspec.convert(found, list[OpenProblem])


@post(
    "/console/problems/{problem_id:uuid}/close",
    operation_id="closeProblem",
    status_code=200,
    opt=needs("helpdesk:problem:write"),
    responses=problems(helpdesk.ProblemMissing),
    tags=TAGS,
)
async def close_problem(
    actor: CurrentActor,
    problem_id: Annotated[UUID, PathParameter()],
    data: JSONBody[CloseProblem],
) -> Closed:
    """Close a problem, with a word about what was done; a closed one stays as it is."""
    condition, arguments = scope(actor).of_order("p.order_id", first=2)
    if not await db.value(SEEN.format(scope=condition), problem_id, *arguments):
        raise helpdesk.ProblemMissing
    await helpdesk.close_problem(problem_id, actor=actor, words=data.words)
    return Closed(id=problem_id, state="closed")


handlers = [list_problems, close_problem]
