"""The customer says what is true of an attempt that failed: it was so, or somebody was here.

A contradiction opens a problem at once, while the van is still near: whoever decides sees what the
crew has recorded at the door beside the customer's word.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Refusal
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms.service import attempts

Said = Literal["true", "was_here"]

# The last attempt that failed, and what the crew has recorded at the door.
LAST_FAILED = """
SELECT d.id, d.reason, d.opened_at, d.happened_at, d.order_id, q.said, a.id AS attempt_id, a.dwell_seconds,
       a.called, a.words, ch.zone
  FROM detour_case d
  JOIN fulfilment f ON f.id = d.fulfilment_id
  JOIN channel ch ON ch.id = f.channel_id
  LEFT JOIN delivery_attempt a ON a.id = d.id
  LEFT JOIN attempt_answer q ON q.case_id = d.id
 WHERE d.fulfilment_id = $1 AND d.kind = 'delivery_failed'
 ORDER BY d.opened_at DESC LIMIT 1
"""


class NoFailedAttempt(Refusal):
    title = "No attempt to deliver this parcel has failed."


class AttemptAnswered(Refusal):
    """The customer has said the other thing before; support can correct it."""

    title = "You have answered this already. Please contact us to correct it."


async def last_failed(fulfilment_id: UUID) -> dict[str, Any] | None:
    """Read the last attempt that failed: its case, reason and when, what was recorded, what was answered."""
    return await db.row(LAST_FAILED, fulfilment_id)


@db.transactional
async def answer(
    fulfilment_id: UUID, event_id: UUID, said: Said, words: str, *, actor: Actor
) -> None:
    """Keep what the customer says of the last failed attempt, once; a contradiction asks a desk.

    Raises: NotFound; NoFailedAttempt; AttemptAnswered for another answer than before.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    await journey.lock(fulfilment_id)
    failed = await last_failed(fulfilment_id)
    if failed is None:
        raise NoFailedAttempt
    kept = await attempts.keep_answer(
        event_id, failed["order_id"], fulfilment_id, failed["id"], said, words
    )
    if kept != said:
        raise AttemptAnswered
    if said == "was_here":
        await helpdesk.open_problem(
            "attempt_contradicted",
            "The customer says somebody was there when the delivery failed",
            detail=_beside(failed, words),
            ref=str(failed["id"]),
            order_id=failed["order_id"],
            fulfilment_id=fulfilment_id,
        )


def _beside(failed: dict[str, Any], words: str) -> str:
    """Put the customer's word beside what the crew has recorded."""
    said = [f"Reported as {failed['reason'].replace('_', ' ')}."]
    if failed["attempt_id"] is not None:
        minutes = failed["dwell_seconds"] // 60
        called = "called" if failed["called"] else "did not call"
        said.append(f"The crew waited {minutes} min and {called}.")
        if failed["words"]:
            said.append(f"The crew says: {failed['words']}")
    else:
        said.append("The carrier has told no more.")
    if words:
        said.append(f"The customer says: {words}")
    return " ".join(said)
