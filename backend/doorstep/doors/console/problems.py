"""Everything that waits for a person, whose it is and what resolves it (M8, A4)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.guard import CurrentActor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.http.problems import problems
from doorstep.flows import detours
from doorstep.modules.helpdesk import kinds
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.helpdesk.refusals import OwnerNotAvailable, ProblemClosed, TicketStillOpen

TAGS = ["helpdesk"]

# {scope} is a condition of core.auth.scope. A problem of no channel belongs to every channel, so
# only people of all channels see it.
LIST = """
SELECT p.id, p.kind, p.title, p.detail, p.ref, p.owner_role, p.owner_id, who.name AS owner, p.level,
       p.order_id, o.number AS order_number, p.fulfilment_id, t.id AS ticket_id, p.due_at, p.opened_at,
       extract(epoch FROM $1::timestamptz - p.opened_at)::int AS age_seconds, p.due_at < $1 AS overdue
  FROM problem p
  LEFT JOIN customer_order o ON o.id = p.order_id
  LEFT JOIN person who ON who.id = p.owner_id
  LEFT JOIN ticket t ON t.problem_id = p.id
 WHERE p.closed_at IS NULL AND ($2::text IS NULL OR p.owner_role = $2)
   AND ($3::uuid IS NULL OR p.owner_id = $3) AND ($4::text IS NULL OR p.kind = $4)
   AND ($5::uuid IS NULL OR p.order_id = $5) AND {scope}
 ORDER BY p.due_at, p.opened_at, p.id LIMIT $6
"""

SEEN = "SELECT true FROM problem p WHERE p.id = $1 AND {scope}"

# What the action's path names beside the problem's own ids: found by what the problem is about.
IDS = {
    "tranche_id": "SELECT id::text AS ref, tranche_id::text AS found FROM payout"
    " WHERE id::text = ANY ($1::text[])",
    "visit_id": "SELECT id::text AS ref, visit_id::text AS found FROM visit_report"
    " WHERE id::text = ANY ($1::text[])"
    " UNION ALL SELECT id::text, visit_id::text FROM visit_extra"
    " WHERE id::text = ANY ($1::text[])",
}


class Action(Struct, kw_only=True):
    """The request that resolves a problem, its path filled in, and what to do in words."""

    operation_id: str
    method: str
    path: str
    words: str


class OpenProblem(Struct, kw_only=True):
    """A problem that waits; `age_seconds` is counted from its opening, `level` its escalations.

    `owner_role` is whose queue it stands in; `owner` has claimed it.
    """

    id: UUID
    kind: str
    title: str
    reason: str
    ref: str
    owner_role: str
    owner_id: UUID | None
    owner: str | None
    level: int
    order_id: UUID | None
    order_number: str | None
    fulfilment_id: UUID | None
    ticket_id: UUID | None
    due_at: datetime
    overdue: bool
    opened_at: datetime
    age_seconds: int
    action: Action


class CloseProblem(Struct, kw_only=True, forbid_unknown_fields=True):
    """What was done about it, in a few words."""

    words: Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")] = ""


class Closed(Struct, kw_only=True):
    """The problem that is closed now."""

    id: UUID
    state: str


class AssignProblem(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who takes it; without a person, whoever asks. `release` gives it back to its queue."""

    person_id: UUID | None = None
    release: bool = False


class Assigned(Struct, kw_only=True):
    """Whose problem it is now; nobody's own when it is back in its queue."""

    id: UUID
    owner_id: UUID | None


@get(
    "/problems",
    operation_id="listProblems",
    opt=needs("helpdesk:problem:read"),
    tags=TAGS,
)
async def list_problems(
    actor: CurrentActor,
    owner_role: Annotated[str | None, QueryParameter(max_length=20)] = None,
    owner_id: UUID | None = None,
    kind: Annotated[str | None, QueryParameter(max_length=40)] = None,
    order_id: UUID | None = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> list[OpenProblem]:
    """List the open problems of the person's channels, the next deadline first."""
    condition, arguments = scope(actor).channels("p.channel_id", first=7)
    found = await db.rows(
        LIST.format(scope=condition), now(), owner_role, owner_id, kind, order_id, limit, *arguments
    )
    return await _with_actions(found)


async def _with_actions(found: list[dict[str, Any]]) -> list[OpenProblem]:
    refs = [row["ref"] for row in found]
    known: dict[str, dict[str, str | None]] = {
        name: {one["ref"]: one["found"] for one in await db.rows(query, refs)} if refs else {}
        for name, query in IDS.items()
    }
    return [_told(row, {name: ids.get(row["ref"]) for name, ids in known.items()}) for row in found]


def _told(row: dict[str, Any], ids: dict[str, str | None]) -> OpenProblem:
    ids = ids | {"problem_id": str(row["id"]), "ref": row["ref"], "kind": row["kind"]}
    ids |= {name: str(row[name]) for name in ("order_id", "fulfilment_id") if row[name]}
    operation, method, path = kinds.action(row["kind"], ids)
    declared = kinds.KINDS.get(row["kind"])
    words = declared.words if declared else ""
    detail = row.pop("detail")
    action = Action(operation_id=operation, method=method, path=path, words=words)
    told = row | {"reason": detail or words or row["title"], "action": action}
    return msgspec.convert(told, OpenProblem)


async def require_problem(actor: Actor, problem_id: UUID) -> None:
    """Make sure that the actor sees this problem.

    Raises: ProblemMissing.
    """
    condition, arguments = scope(actor).channels("p.channel_id", first=2)
    if not await db.value(SEEN.format(scope=condition), problem_id, *arguments):
        raise helpdesk.ProblemMissing


@post(
    "/problems/{problem_id:uuid}/close",
    operation_id="closeProblem",
    status_code=200,
    opt=needs("helpdesk:problem:write"),
    responses=problems(helpdesk.ProblemMissing, TicketStillOpen, detours.DetourStillOpen),
    tags=TAGS,
)
async def close_problem(
    actor: CurrentActor,
    problem_id: Annotated[UUID, PathParameter()],
    data: JSONBody[CloseProblem],
) -> Closed:
    """Close a problem, with a word about what was done; a closed one stays as it is.

    What stands for an open ticket or detour is closed by resolving or settling that.
    """
    await require_problem(actor, problem_id)
    await detours.close_problem(problem_id, actor=actor, words=data.words)
    return Closed(id=problem_id, state="closed")


@post(
    "/problems/{problem_id:uuid}/assign",
    operation_id="assignProblem",
    status_code=200,
    opt=needs("helpdesk:problem:write"),
    responses=problems(helpdesk.ProblemMissing, ProblemClosed, OwnerNotAvailable),
    tags=TAGS,
)
async def assign_problem(
    actor: CurrentActor,
    problem_id: Annotated[UUID, PathParameter()],
    data: JSONBody[AssignProblem],
) -> Assigned:
    """Claim a problem, give it to somebody of a desk, or give it back to its queue."""
    await require_problem(actor, problem_id)
    owner_id = None if data.release else data.person_id or actor.person_id
    await helpdesk.assign_problem(problem_id, owner_id)
    return Assigned(id=problem_id, owner_id=owner_id)


handlers = [list_problems, close_problem, assign_problem]
"""The routes of this door."""
