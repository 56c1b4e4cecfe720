"""The end of an order: closed when nothing of it is open, then kept where it is found again.

Closing is level-triggered: it reads what is true now, under the order's lock. A later return stands
beside a closed order and does not open it again (SPEC J "Closing", P18, P19).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog

from doorstep import journey
from doorstep.core import blobs, db, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.jobs import RetryAt, job, recurring
from doorstep.flows import closing_sql as sql
from doorstep.flows import settle_sql
from doorstep.flows.closing_rules import (
    FEEDBACK,
    ParcelState,
    unfinished,
    window_over,
    window_words,
)
from doorstep.modules.oms.closing import ArchiveFile, Place, close_order, keep_files

log = structlog.get_logger(__name__)

BY_ITSELF = "The return window has ended and nothing is open."


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an order is over, and what keeps it open, in words."""

    order_id: UUID
    number: str
    state: str
    window_ends_at: datetime | None
    keeps_open: list[str]
    closed_at: datetime | None
    closed_by: str | None
    closing_reason: str


@recurring("flows.close_orders", every=300, timeout=240)
async def close_orders(_payload: dict[str, Any]) -> None:
    """Close every order whose return window has ended and of which nothing is open.

    One that cannot be judged does not keep the others open; what went wrong ends on the job's row.
    """
    last, moment = UUID(int=0), now()
    failure: Exception | None = None
    while found := await db.rows(sql.CANDIDATES, last, moment):
        for order in found:
            try:
                await close_if_over(order["id"])
            except Exception as failed:
                log.warning("flows.closing_failed", order_id=str(order["id"]), exc_info=True)
                failure = failed
        last = found[-1]["id"]
    if failure is not None:
        raise failure


@db.transactional
async def close_if_over(order_id: UUID) -> bool:
    """Note the feedback that was never given, and close the order if nothing of it is open."""
    if await db.value(sql.LOCK, order_id) is not None:
        return False
    order = await db.one(sql.ORDER, order_id)
    if not window_over(_parcels(order), order["ends_at"], now()):
        return False
    await _note_missing_feedback(order_id)
    order = await db.one(sql.ORDER, order_id)
    if await _keeps_open(order):
        return False
    await _close(order_id, BY_ITSELF, Actor.system("flows.close_orders"))
    return True


@db.transactional
async def close_by_person(order_id: UUID, reason: str, *, actor: Actor) -> Closing:
    """Close an order before its time, on a person's word; a closed one stays as it is.

    What is open of it (a tranche, a ticket, the installation) goes on beside it.

    Raises: NotFound for an order out of sight.
    """
    await scope(actor).require_order(order_id)
    if await db.value(sql.LOCK, order_id) is None and await _close(order_id, reason, actor):
        order = await db.one(sql.ORDER, order_id)
        if order["ends_at"] is not None:
            await outbox.add(
                "flows.note_missing_feedback",
                {"order_id": str(order_id)},
                order_id=order_id,
                key=f"missing_feedback:{order_id}",
                run_at=order["ends_at"],
            )
    return await read_closing(order_id)


async def _close(order_id: UUID, reason: str, actor: Actor) -> bool:
    closed = await close_order(order_id, reason, actor=actor)
    if closed:
        await outbox.add(
            "flows.archive_order",
            {"order_id": str(order_id)},
            order_id=order_id,
            key=f"archive:{order_id}",
        )
    return closed


async def read_closing(order_id: UUID) -> Closing:
    """Tell what still keeps an order open; nothing of a closed one counts any more."""
    order = await db.one(sql.ORDER, order_id)
    open_still = [] if order["closed_at"] else await _keeps_open(order)
    return Closing(
        order_id=order_id,
        number=order["number"],
        state=order["state"],
        window_ends_at=order["ends_at"],
        keeps_open=open_still,
        closed_at=order["closed_at"],
        closed_by=order["closed_by"],
        closing_reason=order["closing_reason"],
    )


async def _keeps_open(order: dict[str, Any]) -> list[str]:
    words = [*unfinished(_parcels(order)), *window_words(order["ends_at"], now())]
    if await db.rows(settle_sql.CASH_TO_COUNT, None, [order["id"]], None):
        words.append("Cash from the door is not counted yet.")
    for query in sql.OPEN_THINGS.values():
        words += [row["words"] for row in await db.rows(query, order["id"])]
    return words


def _parcels(order: dict[str, Any]) -> list[ParcelState]:
    return msgspec.convert(order["parcels"] or [], list[ParcelState])


async def _note_missing_feedback(order_id: UUID) -> None:
    """Record 1016 as not given where the customer has had the whole return window for it."""
    for parcel in await db.rows(sql.WITHOUT_FEEDBACK, order_id):
        await journey.advance(
            journey.derived_id(parcel["id"], f"{FEEDBACK}:not_given", parcel["attempt"]),
            parcel["id"],
            FEEDBACK,
            actor=Actor.system("flows.close_orders"),
            evidence=[journey.Evidence("not_given", str(order_id))],
            how="not_given",
        )


@job("flows.note_missing_feedback", timeout=20)
@db.transactional
async def note_missing_feedback(payload: dict[str, Any]) -> None:
    """Note the missing feedback of an order that a person closed before its time: {order_id}."""
    order_id = UUID(payload["order_id"])
    await db.value(sql.LOCK, order_id)
    order = await db.one(sql.ORDER, order_id)
    if order["ends_at"] is not None and order["ends_at"] > now():
        raise RetryAt(order["ends_at"], "The return window has become longer.")
    await _note_missing_feedback(order_id)
    await outbox.done()


@job("flows.archive_order", timeout=60)
async def archive_order(payload: dict[str, Any]) -> None:
    """Write the index of a closed order and list its files under its folder: {order_id}.

    Run again it takes in what was added since: a later return's credit note, for example.
    """
    order_id = UUID(payload["order_id"])
    order = await db.row(sql.KEPT, order_id)
    if order is None:
        return
    place = Place(order["channel"], order["year"], order["number"])
    files = [ArchiveFile(**row) for row in await db.rows(sql.FILES, order_id)]
    index = await blobs.put(_index(order, place, files), mime="application/json")
    await keep_files(order_id, place, [*files, ArchiveFile("index.json", "index", index)])
    await outbox.done()


def _index(order: dict[str, Any], place: Place, files: list[ArchiveFile]) -> bytes:
    """Write the index: what was sold, how it travelled, which files there are; no personal data."""
    content = {
        "folder": place.folder,
        **{name: value for name, value in order.items() if name not in ("year", "zone")},
        "files": [{"file": one.file, "kind": one.kind, "sha256": one.sha256} for one in files],
    }
    return json.dumps(content, default=_text, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
