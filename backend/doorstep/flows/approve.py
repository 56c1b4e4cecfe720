"""A person approves or rejects an order that the policy let wait (SPEC P5, P8)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.errors import EventIdReused
from doorstep.flows import approvals, settle
from doorstep.flows.cancel import cancel_order
from doorstep.modules.finance.service import approvals as service
from doorstep.modules.finance.service.approvals import Approval


@db.transactional
async def decide(
    approval_id: UUID,
    event_id: UUID,
    verdict: Literal["approved", "rejected"],
    reason: str,
    *,
    actor: Actor,
) -> Approval:
    """Decide what waits: approved goes on at once, rejected is cancelled. The first word counts.

    The same `event_id` again gets the same answer.

    Raises: ApprovalMissing; ApprovalDecided when another word was first; OrderHasEnded; OwnOrder;
    EventIdReused.
    """
    waiting = await service.approval(approval_id)
    judged = await approvals.take(waiting.order_id, waiting.kind)
    held = await service.standing(waiting.order_id, waiting.kind)
    if held is not None and held.verdict != "waiting":
        if held.id != event_id:
            raise approvals.decided_already(held)
        if held.verdict != verdict:
            raise EventIdReused
        return held
    decided = await approvals.say(judged, event_id, verdict, reason, actor)
    if verdict == "approved":
        await approvals.stop_waiting(waiting, decided, actor)
        if decided.kind == "payment":
            await settle.verify_order_payment(decided.order_id)
    else:
        await approvals.end_problem(waiting, decided)
        await _cancel_rejected_order(decided)
    return decided


async def _cancel_rejected_order(rejected: Approval) -> None:
    """Cancel what was rejected: the word of either desk is enough, whatever its own right to it."""
    await cancel_order(
        rejected.order_id,
        rejected.id,
        reason="other",
        actor=Actor.system("approvals"),
        detail=" ".join(rejected.reasons),
    )
