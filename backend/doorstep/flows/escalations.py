"""Who hears of an escalation: the role that owns it now, those its rule names, its owner (A4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep.core import db, outbox
from doorstep.core.jobs import job
from doorstep.modules.helpdesk import kinds
from doorstep.modules.messages import rules as message_rules
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.service import About, Recipient
from doorstep.settings import settings

REASON_LENGTH = 1500

FIRED = """
SELECT x.problem_id, x.level, x.owner_role, x.tells, x.from_id, p.kind, p.title, p.detail, p.owner_id,
       p.channel_id, o.number AS order_number,
       to_char(p.due_at AT TIME ZONE coalesce(c.zone, 'UTC'), 'YYYY-MM-DD HH24:MI') AS due
  FROM escalation x JOIN problem p ON p.id = x.problem_id
  LEFT JOIN customer_order o ON o.id = p.order_id
  LEFT JOIN channel c ON c.id = p.channel_id
 WHERE x.id = $1
"""

# Staff sign in with an address or a name; only an address can be written to.
READERS = """
SELECT DISTINCT person.login AS email, languages FROM person
 WHERE active AND login LIKE '%_@_%'
   AND (id = ANY ($1::uuid[])
        OR (role = ANY ($2::text[]) AND (channel_ids = '{}' OR $3::uuid = ANY (channel_ids))))
 ORDER BY 1
"""


@job("flows.tell_escalation", queue="messages", timeout=20)
@db.transactional
async def tell_escalation(payload: dict[str, Any]) -> None:
    """Write to those who must know that a problem went up a level: {escalation_id}."""
    fired = await db.one(FIRED, UUID(payload["escalation_id"]))
    owners = [one for one in (fired["from_id"], fired["owner_id"]) if one is not None]
    roles = [*fired["tells"], fired["owner_role"]]
    readers = await db.rows(READERS, owners, roles, fired["channel_id"])
    known = kinds.KINDS.get(fired["kind"])
    action = known.words if known else ""
    facts = {
        "company": settings().company_name,
        "level": str(fired["level"]),
        "title": fired["title"],
        "reason": fired["detail"][:REASON_LENGTH],
        "order_number": fired["order_number"] or "–",
        "due": fired["due"],
        "owner": fired["owner_role"],
        "action": action,
    }
    about = About(problem_id=fired["problem_id"], attempt=fired["level"])
    for reader in readers:
        language = message_rules.language_of(reader["languages"])
        recipient = Recipient(language=language, email=reader["email"])
        await messages.write("problem_escalated", about, recipient, facts)
    await outbox.done()
