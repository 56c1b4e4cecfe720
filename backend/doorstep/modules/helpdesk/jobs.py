"""Jobs of helpdesk: how others ask for a person, and who is asked next when nobody answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep.core import db, outbox
from doorstep.core.jobs import job, recurring
from doorstep.modules.helpdesk import service
from doorstep.modules.helpdesk.service import tickets


@job("helpdesk.open_problem", queue="default", timeout=10)
@db.transactional
async def open_problem(payload: dict[str, Any]) -> None:
    """Open the problem that another module asks for.

    The payload is {kind, title, ref} and, where known, {detail, order_id, fulfilment_id,
    channel_id, owner_role, due_at}.
    """
    due_at = payload.get("due_at")
    await service.open_problem(
        payload["kind"],
        payload["title"],
        ref=payload["ref"],
        detail=payload.get("detail") or "",
        order_id=_id(payload.get("order_id")),
        fulfilment_id=_id(payload.get("fulfilment_id")),
        channel_id=_id(payload.get("channel_id")),
        owner_role=payload.get("owner_role"),
        due_at=datetime.fromisoformat(due_at) if due_at else None,
    )
    await outbox.done()


@recurring("helpdesk.escalate", every=15, timeout=60)
async def escalate(_payload: dict[str, Any]) -> None:
    """Fire what is due: with a tick every 15 seconds, within a minute of its time (A4)."""
    await service.escalate_due()


@job("helpdesk.replan_escalations", timeout=120)
async def replan_escalations(_payload: dict[str, Any]) -> None:
    """Plan the escalations of all open problems anew."""
    await service.replan()


@recurring("helpdesk.close_tickets", every=3600)
async def close_tickets(_payload: dict[str, Any]) -> None:
    """Close the tickets that were resolved a week ago and that nobody has opened again."""
    await tickets.close_resolved()


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
