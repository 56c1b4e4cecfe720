"""Jobs of helpdesk: how a module that knows nothing of problems asks for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep.core import db, outbox
from doorstep.core.jobs import job
from doorstep.modules.helpdesk import service


@job("helpdesk.open_problem", queue="default", timeout=10)
@db.transactional
async def open_problem(payload: dict[str, Any]) -> None:
    """Open the problem that another module asks for.

    The payload is {kind, title, ref} and, where known, {detail, order_id, fulfilment_id,
    owner_role, due_at}.
    """
    due_at = payload.get("due_at")
    await service.open_problem(
        payload["kind"],
        payload["title"],
        ref=payload["ref"],
        detail=payload.get("detail") or "",
        order_id=_id(payload.get("order_id")),
        fulfilment_id=_id(payload.get("fulfilment_id")),
        owner_role=payload.get("owner_role") or "support",
        due_at=datetime.fromisoformat(due_at) if due_at else None,
    )
    await outbox.done()


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
