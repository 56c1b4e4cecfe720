"""Support: who wants to be forgotten and what that waits for; how long a channel keeps people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import delete, get, post, put
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import NotFound
from doorstep.core.http.problems import problems
from doorstep.flows import erasure
from doorstep.modules.privacy import rules, service

TAGS = ["privacy"]

REQUESTS = """
SELECT e.id, o.id AS order_id, o.number AS order_number, h.code AS channel, e.way, p.name AS recorded_by,
       e.gives_up_warranty, e.asked_at, e.state, e.waits_for, e.looked_at, e.next_at, e.done_at, e.erased
  FROM erasure_request e
  JOIN customer_order o ON o.id = e.order_id
  JOIN channel h ON h.id = e.channel_id
  LEFT JOIN person p ON p.id = e.recorded_by
 WHERE ($1::boolean IS NULL OR (e.state = 'done') = $1) AND {scope}
 ORDER BY e.asked_at DESC, e.id LIMIT 200
"""

RULES = """
SELECT h.code AS channel, coalesce(r.retention_days, $1) AS retention_days, p.name AS set_by, r.set_at
  FROM channel h
  LEFT JOIN privacy_rule r ON r.channel_id = h.id
  LEFT JOIN person p ON p.id = r.set_by
 WHERE {scope} ORDER BY h.code
"""


class ErasureIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """How the customer has told us, and whether he gives up the warranties that still run."""

    way: Literal["phone", "mail"]
    gives_up_warranty: bool


class ErasureAsked(Struct):
    """The request; asked again it is the same."""

    id: UUID


class ErasureSeen(Struct, kw_only=True):
    """A request; `waits_for` in words, `erased` the rows of each table and the files."""

    id: UUID
    order_id: UUID
    order_number: str
    channel: str
    way: Literal["page", "phone", "mail", "retention"]
    recorded_by: str | None
    gives_up_warranty: bool
    asked_at: datetime
    state: Literal["waiting", "done"]
    waits_for: list[str]
    looked_at: datetime | None
    next_at: datetime | None
    done_at: datetime | None
    erased: dict[str, int]


class RetentionIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """For how many days after his last order a customer is kept at the longest."""

    retention_days: Annotated[int, Meta(ge=30, le=36_500)]


class RetentionSeen(Struct, kw_only=True):
    """How long a channel keeps people; nobody has set it where `set_at` is empty."""

    channel: str
    retention_days: int
    set_by: str | None
    set_at: datetime | None


@get(
    "/console/erasure-requests",
    operation_id="listErasureRequests",
    opt=needs("privacy:erasure:manage"),
    tags=TAGS,
)
async def list_requests(actor: Actor, done: bool | None = None) -> list[ErasureSeen]:
    """List who wants to be forgotten in one's channels, the newest first: 200 at most."""
    condition, arguments = scope(actor).channels("e.channel_id", first=2)
    rows = await db.rows(REQUESTS.format(scope=condition), done, *arguments)
    return [_seen(row) for row in rows]


def _seen(row: dict[str, Any]) -> ErasureSeen:
    words = [rules.WORDS[reason] for reason in row["waits_for"]]
    return msgspec.convert(row | {"waits_for": words}, ErasureSeen)


@post(
    "/console/orders/{order_id:uuid}/erasure",
    operation_id="recordErasureRequest",
    opt=needs("privacy:erasure:manage"),
    status_code=200,
    responses=problems(NotFound),
    tags=TAGS,
)
async def record_request(order_id: UUID, data: ErasureIn, actor: Actor) -> ErasureAsked:
    """Record that an order's customer wants to be forgotten; it is done as soon as nothing is open."""
    asked = await erasure.ask_at_desk(
        order_id, data.way, gives_up_warranty=data.gives_up_warranty, actor=actor
    )
    return ErasureAsked(asked)


@delete(
    "/console/orders/{order_id:uuid}/erasure",
    operation_id="withdrawErasureRequest",
    opt=needs("privacy:erasure:manage"),
    responses=problems(NotFound),
    tags=TAGS,
)
async def withdraw_request(order_id: UUID, actor: Actor) -> None:
    """Record that an order's customer wants to stay after all; nothing is left of his wish.

    404 too where nothing waits, or where his time is over without his asking.
    """
    await erasure.withdraw_at_desk(order_id, actor=actor)


@get(
    "/console/privacy-rules",
    operation_id="readPrivacyRules",
    opt=needs("privacy:erasure:manage"),
    tags=TAGS,
)
async def read_rules(actor: Actor) -> list[RetentionSeen]:
    """Tell how long each of one's channels keeps people."""
    condition, arguments = scope(actor).channels("h.id", first=2)
    rows = await db.rows(RULES.format(scope=condition), service.DEFAULT_RETENTION_DAYS, *arguments)
    return msgspec.convert(rows, list[RetentionSeen])


@put(
    "/console/privacy-rules/{channel:str}",
    operation_id="savePrivacyRule",
    opt=needs("privacy:rule:write"),
    status_code=204,
    responses=problems(NotFound),
    tags=TAGS,
)
async def save_rule(channel: str, data: RetentionIn, actor: Actor) -> None:
    """Let a channel keep people for so long; whose time is over is erased within a day."""
    channel_id = await scope(actor).channel_of_code(channel)
    await service.set_retention(channel_id, data.retention_days, set_by=actor.person_id)


handlers = [list_requests, record_request, withdraw_request, read_rules, save_rule]
"""The routes of this door."""
