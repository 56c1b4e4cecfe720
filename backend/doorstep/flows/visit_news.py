"""A technician hears that a visit of his has another time, is another's now, or is off."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep.core import db, outbox
from doorstep.core.jobs import job
from doorstep.flows import phones
from doorstep.journey.timeline import format_when
from doorstep.modules.messages import rules as message_rules
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.service import About, Recipient
from doorstep.settings import settings

NEWS = """
SELECT v.order_id, v.moves, v.state, o.number, c.zone,
       coalesce(y.place, concat_ws(', ', nullif(a.area, ''), a.city)) AS place,
       p.phone, p.languages, CASE WHEN p.login LIKE '%_@_%' THEN p.login END AS email
  FROM visit v
  JOIN customer_order o ON o.id = v.order_id
  JOIN address a ON a.id = o.address_id
  JOIN channel c ON c.id = o.channel_id
  JOIN person p ON p.id = $2
  LEFT JOIN warranty_claim_place y ON y.claim_id = v.claim_id
 WHERE v.id = $1
"""


@job("flows.tell_technician", queue="messages", timeout=15)
@db.transactional
async def tell_technician(payload: dict[str, Any]) -> None:
    """Write to a technician, and push: {event, visit_id, technician_id, starts_at, moves}.

    A move that another one, or the visit's end, has overtaken is no news any more.
    """
    visit_id = UUID(payload["visit_id"])
    news = await db.one(NEWS, visit_id, UUID(payload["technician_id"]))
    overtaken = news["moves"] != payload["moves"] or news["state"] not in ("booked", "started")
    if payload["event"] != "visit_moved" or not overtaken:
        language = message_rules.language_of(news["languages"])
        starts_at = datetime.fromisoformat(payload["starts_at"])
        await messages.write(
            payload["event"],
            About(order_id=news["order_id"], visit_id=visit_id, attempt=payload["moves"] + 1),
            Recipient(language=language, phone=news["phone"], email=news["email"]),
            {
                "company": settings().company_name,
                "order_number": news["number"],
                "place": news["place"],
                "when": format_when(starts_at, ZoneInfo(news["zone"]), language),
            },
        )
        await phones.tell_visit(
            payload["event"], visit_id, UUID(payload["technician_id"]), payload["moves"]
        )
    await outbox.done()
