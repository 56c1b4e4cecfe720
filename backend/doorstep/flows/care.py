"""After the delivery: the warranty and its certificate (1018), the customer's rating (1016)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from doorstep import journey
from doorstep.core import blobs, db, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.jobs import job
from doorstep.flows import notify
from doorstep.flows.came_back import PIECES_BACK
from doorstep.flows.tickets import open_ticket
from doorstep.journey import Evidence, Verdict
from doorstep.journey.refusals import StageTooEarly
from doorstep.modules.crm import documents, rules
from doorstep.modules.crm import service as crm
from doorstep.settings import settings

LINK_LIFE = timedelta(days=30)
"""How long the customer's link opens after the last parcel is done (reliability §5.4)."""

NOT_CONTENT = 2
"""From this rating down somebody of support asks what went wrong."""

COVERED_LINES = f"""
SELECT l.id AS fulfilment_line_id, l.product_id, l.quantity - {PIECES_BACK} AS quantity,
       p.warranty_months,
       coalesce((SELECT jsonb_object_agg(u.serial, u.id) FROM unit u
                  WHERE u.fulfilment_line_id = l.id AND u.state <> 'scrapped'), '{{}}') AS units
  FROM fulfilment_line l JOIN product p ON p.id = l.product_id
 WHERE l.fulfilment_id = $1
 ORDER BY l.id
"""  # noqa: S608 - a constant of a file of ours

LOCAL_DAY = """
SELECT ($2::timestamptz AT TIME ZONE zone)::date FROM channel WHERE id = $1
"""

# What stands on a certificate: its owner is the order's customer, or whoever has taken it over.
_ON_PAPER = """
SELECT w.id, w.number, p.sku, coalesce(p.names ->> o.language, p.name) AS product, w.serial,
       w.quantity, w.starts_on, w.ends_on, o.number AS order_number, o.language,
       coalesce(t.name, c.name) AS customer_name, (o.placed_at AT TIME ZONE ch.zone)::date AS purchased_on,
       (e.recorded_at AT TIME ZONE ch.zone)::date AS installed_on
  FROM warranty w
  JOIN product p ON p.id = w.product_id
  JOIN customer_order o ON o.id = w.order_id
  JOIN customer c ON c.id = o.customer_id
  JOIN channel ch ON ch.id = o.channel_id
  LEFT JOIN journey_event e ON e.fulfilment_id = w.fulfilment_id
        AND e.kind = 'stage' AND e.stage = 1015 AND e.how = 'done'
  LEFT JOIN warranty_transfer t ON t.order_id = w.order_id AND t.n = w.owner_n
"""

WITHOUT_CERTIFICATE = (
    _ON_PAPER + " WHERE w.fulfilment_id = $1 AND w.state = 'registered' ORDER BY w.number"
)

OWNED = _ON_PAPER + " WHERE w.id = $1"

CERTIFICATES = """
SELECT w.number AS ref, w.certificate_sha256 AS sha256, f.attempt
  FROM warranty w JOIN fulfilment f ON f.id = w.fulfilment_id
 WHERE w.fulfilment_id = $1 AND w.state = 'active' ORDER BY w.number
"""

MAY_RATE = """
SELECT 1015 = ANY (f.passed) AS done, b.event_id AS given
  FROM fulfilment f LEFT JOIN feedback b ON b.fulfilment_id = f.id WHERE f.id = $1
"""

ALL_DONE = """
SELECT bool_and(1015 = ANY (passed) OR state = 'ended') FROM fulfilment WHERE order_id = $1
"""


async def register_warranty(fact: journey.Fact) -> None:
    """Write the parcel's warranties from today on, in the channel's zone, and order their papers.

    Runs at 1015: after the installation, or right at delivery where nothing is installed.
    """
    if not fact.fulfilment["has_warranty"]:
        return
    found = await db.rows(COVERED_LINES, fact.fulfilment_id)
    starts_on = await db.value(LOCAL_DAY, fact.fulfilment["channel_id"], now())
    lines = msgspec.convert(found, list[rules.Line])
    await crm.register_warranties(fact.order_id, fact.fulfilment_id, lines, starts_on)
    await outbox.add(
        "flows.issue_certificates",
        {"fulfilment_id": str(fact.fulfilment_id)},
        order_id=fact.order_id,
        key=f"certificates:{fact.fulfilment_id}:{fact.attempt}",
    )


async def ask_feedback(fact: journey.Fact) -> None:
    """Ask for a rating; once every parcel of the order is done, let the link run out."""
    await notify.ask_for_feedback(fact)
    if await db.value(ALL_DONE, fact.order_id):
        await crm.limit_links(fact.order_id, now() + LINK_LIFE)


@job("flows.issue_certificates", queue="default", timeout=60)
async def issue_certificates(payload: dict[str, Any]) -> None:
    """Print the certificates of a parcel's warranties, keep them, and pass 1018.

    Run again, it prints only what is still missing and passes 1018 with the same event id.
    """
    fulfilment_id = UUID(payload["fulfilment_id"])
    waiting = msgspec.convert(await db.rows(WITHOUT_CERTIFICATE, fulfilment_id), list[crm.Warranty])
    printed: dict[UUID, str] = {}
    for warranty in waiting:
        # Printing is work for the processor: a thread lets the other jobs run on.
        paper = await asyncio.to_thread(documents.render_warranty, paper_of(warranty))
        printed[warranty.id] = await blobs.put(paper, mime="application/pdf")
    await _activate(fulfilment_id, printed)


def paper_of(warranty: crm.Warranty) -> documents.WarrantyData:
    """Fill in the certificate.

    Whoever holds the link can fetch it, so it names the customer by initials only (IA1).
    """
    several = f"{warranty.quantity} × " if warranty.quantity > 1 else ""
    base = settings()
    return documents.WarrantyData(
        language=warranty.language,
        company=base.company_name,
        number=warranty.number,
        customer_name=rules.initials(warranty.customer_name),
        product_name=several + warranty.product,
        sku=warranty.sku,
        serial=warranty.serial or "–",
        order_number=warranty.order_number,
        purchased_on=warranty.purchased_on,
        installed_on=warranty.installed_on,
        starts_on=warranty.starts_on,
        ends_on=warranty.ends_on,
        verification_url=f"{base.public_url.rstrip('/')}/verify/{warranty.number}",
    )


@db.transactional
async def _activate(fulfilment_id: UUID, printed: dict[UUID, str]) -> None:
    await journey.lock(fulfilment_id)
    await crm.activate_warranties(printed)
    certificates = await db.rows(CERTIFICATES, fulfilment_id)
    await journey.advance(
        journey.derived_id(fulfilment_id, "1018", certificates[0]["attempt"]),
        fulfilment_id,
        1018,
        actor=Actor.system("flows.issue_certificates"),
        evidence=[Evidence("certificate", one["ref"], one["sha256"]) for one in certificates],
    )
    await outbox.done()


async def awaits_rating(fulfilment_id: UUID, event_id: UUID) -> bool:
    """Tell whether a rating is new, before any photo of it is looked at; False for a second tap.

    Raises: StageTooEarly before 1015; FeedbackAlreadyGiven for another one than this.
    """
    found = await db.one(MAY_RATE, fulfilment_id)
    if found["given"] not in (None, event_id):
        raise crm.FeedbackAlreadyGiven
    if not found["done"]:
        raise StageTooEarly
    return found["given"] is None


@db.transactional
async def give_feedback(
    fulfilment_id: UUID, feedback: crm.Feedback, *, actor: Actor
) -> journey.Answer:
    """Keep the customer's rating of a parcel and pass 1016; the same one again changes nothing.

    Who is not content is asked what went wrong: a complaint is opened, with his words and photos.

    Raises: NothingWasInstalled, FeedbackAlreadyGiven; StageTooEarly before 1015; NotFound for a
    parcel of another order.
    """
    parcel = await journey.lock(fulfilment_id)
    if actor.role == "customer" and actor.order_id != parcel["order_id"]:
        raise NotFound
    rules.check_ratings(feedback.installation_rating, needs_install=parcel["needs_install"])
    feedback_id = await crm.keep_feedback(parcel["order_id"], fulfilment_id, feedback)
    # The customer's own id is hashed with the parcel's, so that it can meet no other event's.
    event_id = journey.derived_id(fulfilment_id, f"feedback:{feedback.event_id}")
    answer = await journey.advance(
        event_id,
        fulfilment_id,
        1016,
        actor=actor,
        evidence=[Evidence("feedback", str(feedback_id))],
    )
    if answer.verdict is Verdict.APPLIED and feedback.lowest <= NOT_CONTENT:
        await _ask_what_went_wrong(event_id, fulfilment_id, feedback, request_id=actor.request_id)
    return answer


async def _ask_what_went_wrong(
    event_id: UUID, fulfilment_id: UUID, feedback: crm.Feedback, *, request_id: str
) -> None:
    parts = [("delivery", feedback.delivery_rating), ("installation", feedback.installation_rating)]
    rated = ", ".join(f"{part} {stars} of 5" for part, stars in parts if stars is not None)
    await open_ticket(
        "complaint",
        f"The customer is not content: {rated}",
        feedback.words,
        actor=Actor.system("care", request_id=request_id),
        event_id=event_id,
        fulfilment_id=fulfilment_id,
        photos=feedback.photos,
    )
