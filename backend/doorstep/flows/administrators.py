"""What administrators are written to about without being asked: jobs that were given up, messages that
reach nobody, money that does not agree (C14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.jobs import recurring
from doorstep.flows.escalations import READERS
from doorstep.modules.helpdesk import kinds
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.messages import rules as message_rules
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.service import About, Recipient
from doorstep.settings import settings

KINDS = (
    "dead_letter",
    "message_refused",
    "payment_currency",
    "payment_unexpected",
    "payout_unknown",
    "payout_paid_twice",
    "cash_difference",
)
"""The kinds of problems of which an administrator hears at once, whoever's they are."""

LOOK_BACK = timedelta(days=1)
"""What nobody could be told of for a day stands in the queue of its owner all the same."""

REASON_LENGTH = 1500

# One problem for each kind of job; a person who has closed it hears of those that died after that.
DEAD = """
SELECT o.kind, count(*) AS letters, max(o.last_error) AS last_error,
       (array_agg(o.order_id ORDER BY o.dead_at DESC))[1] AS order_id
  FROM outbox o WHERE o.dead_at IS NOT NULL
 GROUP BY o.kind
HAVING NOT EXISTS (SELECT FROM problem p
                    WHERE p.kind = 'dead_letter' AND p.ref = 'dead:' || o.kind
                      AND (p.closed_at IS NULL OR p.opened_at >= max(o.dead_at)))
 ORDER BY o.kind LIMIT 50
"""

UNTOLD = """
SELECT p.id, p.kind, p.title, p.detail, p.owner_role, p.channel_id, o.number AS order_number,
       to_char(p.due_at AT TIME ZONE coalesce(c.zone, 'UTC'), 'YYYY-MM-DD HH24:MI') AS due
  FROM problem p
  LEFT JOIN customer_order o ON o.id = p.order_id
  LEFT JOIN channel c ON c.id = p.channel_id
 WHERE p.kind = ANY ($1) AND p.opened_at > $2 AND p.closed_at IS NULL
   AND NOT EXISTS (SELECT FROM message m WHERE m.problem_id = p.id AND m.event = 'problem_opened')
 ORDER BY p.opened_at LIMIT 100
"""


@recurring("flows.tell_administrators", every=120, queue="messages")
async def tell_administrators(_payload: dict[str, Any]) -> None:
    """Open a problem for jobs that were given up, and write to the administrators of what is new."""
    for dead in await db.rows(DEAD):
        await helpdesk.open_problem(
            "dead_letter",
            f"{dead['letters']} jobs were given up: {dead['kind']}",
            ref=f"dead:{dead['kind']}",
            detail=dead["last_error"] or "",
            order_id=dead["order_id"],
        )
    for problem in await db.rows(UNTOLD, list(KINDS), now() - LOOK_BACK):
        await _tell(problem)


@db.transactional
async def _tell(problem: dict[str, Any]) -> None:
    facts = {
        "company": settings().company_name,
        "title": problem["title"],
        "reason": problem["detail"][:REASON_LENGTH],
        "order_number": problem["order_number"] or "–",
        "due": problem["due"],
        "owner": problem["owner_role"],
        "action": kinds.KINDS[problem["kind"]].words,
    }
    for reader in await db.rows(READERS, [], ["admin"], problem["channel_id"]):
        recipient = Recipient(
            language=message_rules.language_of(reader["languages"]), email=reader["email"]
        )
        await messages.write("problem_opened", About(problem_id=problem["id"]), recipient, facts)
