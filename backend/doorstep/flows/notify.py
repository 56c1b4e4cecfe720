"""Who is told what, and when: customers along the journey, vendors about purchase orders (C14).

Messages are rows written with the fact; the job `messages.deliver` carries them out (IQ1).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.jobs import job
from doorstep.flows.failed_delivery import goes_back
from doorstep.journey.timeline import (
    Parcel,
    date_words,
    detour_words,
    format_amount,
    format_day,
    format_when,
    sentence,
    visit_words,
)
from doorstep.modules.crm import service as crm
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.messages import rules as message_rules
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.address_words import address_words
from doorstep.modules.messages.care import care_words
from doorstep.modules.messages.delivery_rules import Quiet
from doorstep.modules.messages.service import About, Recipient
from doorstep.modules.tms.schemas import Window
from doorstep.settings import settings

AUDIENCE = """
SELECT o.number, o.language, o.currency, o.total_minor, c.email,
       coalesce(c.phone, a.phone) AS phone,
       f.needs_vendor, f.needs_install, f.has_warranty, f.collection, f.attempt,
       ch.zone, coalesce(r.quiet_from, '21:00') AS quiet_from,
       coalesce(r.quiet_until, '08:00') AS quiet_until,
       coalesce(r.ask_feedback, true) AS ask_feedback, coalesce(r.coupon_code, '') AS coupon_code,
       coalesce(r.review_url, '') AS review_url,
       coalesce(l.kind, 'warehouse') AS ship_from, p.at_door_minor, p.paid_minor
  FROM customer_order o
  JOIN customer c ON c.id = o.customer_id
  JOIN address a ON a.id = o.address_id
  JOIN fulfilment f ON f.id = $2
  JOIN channel ch ON ch.id = o.channel_id
  LEFT JOIN message_rule r ON r.channel_id = o.channel_id
  LEFT JOIN location l ON l.id = f.location_id
 CROSS JOIN LATERAL (
   SELECT greatest(0, coalesce(sum(amount_minor - captured_minor) FILTER (WHERE due = 'at_door'), 0)
            - coalesce((SELECT sum(n.amount_minor) FROM credit_note n WHERE n.order_id = o.id), 0)
          )::bigint AS at_door_minor,
          coalesce(sum(captured_minor), 0)::bigint AS paid_minor
     FROM payment_line WHERE order_id = o.id) p
 WHERE o.id = $1
"""

NEXT_VISIT = """
SELECT lower(v.during) AS starts_at, c.zone
  FROM visit v JOIN fulfilment f ON f.id = v.fulfilment_id JOIN channel c ON c.id = f.channel_id
 WHERE v.fulfilment_id = $1 AND v.purpose = 'installation' AND v.state = 'booked'
"""

CHOSEN_VISIT = """
SELECT order_id, fulfilment_id, moves, lower(during) AS starts_at FROM visit WHERE id = $1
"""

NTH = """
SELECT count(*)::int FROM journey_event
 WHERE fulfilment_id = $1 AND name = $2 AND kind IN ('detour', 'fact')
"""

# What a parcel carries, where it is not all of its order.
GOODS = """
SELECT string_agg(l.quantity || ' × ' || coalesce(p.names ->> $2, p.name), ', ' ORDER BY p.name) AS words
  FROM fulfilment f JOIN fulfilment_line l ON l.fulfilment_id = f.id
  JOIN product p ON p.id = l.product_id
 WHERE f.id = $1 AND EXISTS (SELECT FROM fulfilment o
                              WHERE o.order_id = f.order_id AND o.id <> f.id)
"""

# What was promised of a parcel, up to the promise that was just made.
WINDOWS = """
SELECT f.order_id, max(w.n) AS n,
       f.state <> 'ended' AND NOT 1013 = ANY (f.passed) AS travels,
       coalesce((array_agg(w.from_at ORDER BY w.n DESC))[2] IS NOT NULL, false) AS promised
  FROM fulfilment f JOIN delivery_window w ON w.fulfilment_id = f.id
 WHERE f.id = $1 GROUP BY f.id
"""

TOLD_EACH_TIME = frozenset(
    {"hidden_damage", "dead_on_arrival", "part_missing", "return_requested", "returned_part"}
)
"""Detours of which each one is about other goods: told each time, the others once per attempt."""

MOVES_VISIT = frozenset({"delivery_failed", "installation_failed"})
"""Detours after which the installation has another time: told in the same message."""

PURCHASE_ORDER = """
SELECT v.email, p.number, p.currency, p.total_minor, p.order_id, p.fulfilment_id,
       to_char(p.answer_due_at AT TIME ZONE v.zone, 'YYYY-MM-DD HH24:MI') AS answer_due, v.name
  FROM purchase_order p JOIN vendor v ON v.id = p.vendor_id
 WHERE p.id = $1 AND v.id = $2
"""


async def tell_customer(fact: journey.Fact) -> None:
    """Tell the customer of a milestone, in his language, on the channels of the event.

    Only what somebody did is told: what a later scan implies, or does not apply, is not news. The
    first message carries the tracking link, which nobody can make again; the others do not.
    """
    if fact.data.get("how") != "done":
        return
    audience = await _audience(fact.order_id, fact.fulfilment_id)
    title, words = sentence(int(fact.name), _parcel(audience), audience["language"])
    facts = _facts(audience) | {"title": title, "sentence": words, "care": _care(audience)}
    token = fact.data.get("tracking_token")
    await messages.write(
        fact.name,
        About(order_id=fact.order_id, fulfilment_id=fact.fulfilment_id, attempt=fact.attempt),
        _recipient(audience),
        facts | {"link": message_rules.SECRET},
        secret=tracking_link(token) if token else None,
    )


async def tell_detour(fact: journey.Fact) -> None:
    """Tell the customer what keeps his goods from coming, once per attempt; with the new visit.

    Of several parcels it says which one's goods are meant. After the last attempt the way back is
    told, and not that we come again.
    """
    if await goes_back(fact):
        return
    audience = await _audience(fact.order_id, fact.fulfilment_id)
    on = fact.data["expected_on"]
    words = detour_words(fact.data["kind"], audience["language"], on)
    if words is None:
        return
    visit = await db.row(NEXT_VISIT, fact.fulfilment_id)
    kind = fact.data["kind"]
    # Of two delays in one attempt each has a date of its own, and is told.
    each_time = on is not None or kind in TOLD_EACH_TIME
    attempt = await _nth(fact, kind) if each_time else fact.attempt
    await messages.write(
        kind,
        About(order_id=fact.order_id, fulfilment_id=fact.fulfilment_id, attempt=attempt),
        _recipient(audience),
        _facts(audience)
        | {
            "sentence": words,
            "goods": await _goods(fact, kind, audience["language"]),
            "visit": visit_words(visit["starts_at"], ZoneInfo(visit["zone"]), audience["language"])
            if visit and kind in MOVES_VISIT
            else "",
        },
    )


async def tell_date(fact: journey.Fact) -> None:
    """Tell the customer by when what he waits for is expected now, or that it has not come by then.

    Each date is told once, and once that it could not be kept.
    """
    audience = await _audience(fact.order_id, fact.fulfilment_id)
    words = date_words(fact.name, audience["language"], fact.data["expected_on"])
    about = About(
        order_id=fact.order_id,
        fulfilment_id=fact.fulfilment_id,
        attempt=await _nth(fact, fact.name),
    )
    goods = await _goods(fact, fact.name, audience["language"])
    facts = _facts(audience) | {"sentence": words or "", "goods": goods, "visit": ""}
    await messages.write(fact.name, about, _recipient(audience), facts)


async def tell_rest(fact: journey.Fact) -> None:
    """Tell the customer which goods of his are still short, with the date that he knows already."""
    audience = await _audience(fact.order_id, fact.fulfilment_id)
    kind, language = fact.data["kind"], audience["language"]
    words = detour_words(kind, language, fact.data["expected_on"], accepted=fact.data["accepted"])
    facts = {"sentence": words or "", "goods": await _goods(fact, kind, language), "visit": ""}
    about = About(order_id=fact.order_id, fulfilment_id=fact.fulfilment_id, attempt=fact.attempt)
    await messages.write(kind, about, _recipient(audience), _facts(audience) | facts)


async def _goods(fact: journey.Fact, kind: str, language: str) -> str:
    if message_rules.event(kind).about == "order":
        return ""
    words = await db.value(GOODS, fact.fulfilment_id, language)
    return f" ({words})" if words else ""


async def _nth(fact: journey.Fact, name: str) -> int:
    """Count how often this has been said of the parcel, so that each time has its own message."""
    found: int = await db.value(NTH, fact.fulfilment_id, name)
    return found


async def ask_for_feedback(fact: journey.Fact) -> None:
    """Ask the customer how it went."""
    audience = await _audience(fact.order_id, fact.fulfilment_id)
    about = About(order_id=fact.order_id, fulfilment_id=fact.fulfilment_id, attempt=fact.attempt)
    await messages.write("feedback_request", about, _recipient(audience), _facts(audience))


async def ask_for_address(order_id: UUID, fulfilment_id: UUID, lacking: Sequence[str]) -> None:
    """Ask the customer for what his address lacks, by a new link: the first one nobody knows here."""
    audience = await _audience(order_id, fulfilment_id)
    recipient = _recipient(audience)
    if not (recipient.phone or recipient.email):
        return
    facts = {
        "missing": address_words(audience["language"], lacking),
        "link": message_rules.SECRET,
    }
    link = tracking_link(await crm.add_link(order_id))
    about = About(order_id=order_id, fulfilment_id=fulfilment_id)
    await messages.write(
        "address_incomplete", about, recipient, _facts(audience) | facts, secret=link
    )


async def tell_other_team(order_id: UUID, fulfilment_id: UUID) -> None:
    """Tell the customer that another team brings the parcel; once per attempt, whatever moves."""
    audience = await _audience(order_id, fulfilment_id)
    about = About(order_id=order_id, fulfilment_id=fulfilment_id, attempt=audience["attempt"])
    await messages.write("other_team", about, _recipient(audience), _facts(audience))


async def tell_warranty_ends(
    order_id: UUID, fulfilment_id: UUID, nth: int, day: date, goods: str
) -> None:
    """Tell the customer that the warranty of goods ends on a day; `nth` of the parcel's such days."""
    audience = await _audience(order_id, fulfilment_id)
    words = {"goods": goods, "when": format_day(day, audience["language"])}
    about = About(order_id=order_id, fulfilment_id=fulfilment_id, attempt=nth)
    await messages.write("warranty_ending", about, _recipient(audience), _facts(audience) | words)


async def tell_window(fulfilment_id: UUID, window: Window | None, reason: str) -> None:
    """Tell the customer when his delivery comes now, and why; each change of the promise once.

    A promise that is taken back is told only where there was one; a parcel that has come is not news.
    """
    found = await db.one(WINDOWS, fulfilment_id)
    if not found["travels"] or (window is None and not found["promised"]):
        return
    event = "window_changed" if window else "window_withdrawn"
    await _write_window(event, fulfilment_id, found, window, reason)


async def confirm_window(fulfilment_id: UUID, window: Window) -> None:
    """Confirm to the customer the time of delivery that he has chosen himself, each choice once."""
    found = await db.one(WINDOWS, fulfilment_id)
    await _write_window("window_chosen", fulfilment_id, found, window, "")


async def _write_window(
    event: str, fulfilment_id: UUID, found: dict[str, Any], window: Window | None, reason: str
) -> None:
    audience = await _audience(found["order_id"], fulfilment_id)
    zone, language = ZoneInfo(audience["zone"]), audience["language"]
    words = ""
    if window is not None:
        words = f"{format_when(window.from_at, zone, language)} – {_end(window, zone, language)}"
    await messages.write(
        event,
        About(order_id=found["order_id"], fulfilment_id=fulfilment_id, attempt=found["n"]),
        _recipient(audience),
        _facts(audience) | {"window": words, "reason": reason},
    )


async def confirm_visit(visit_id: UUID, reader: Recipient | None = None) -> None:
    """Confirm when the technician comes to whoever has chosen it, each choice once.

    `reader`: who that is, if it is not the order's customer.
    """
    visit = await db.one(CHOSEN_VISIT, visit_id)
    audience = await _audience(visit["order_id"], visit["fulfilment_id"])
    about = About(
        order_id=visit["order_id"],
        fulfilment_id=visit["fulfilment_id"],
        visit_id=visit_id,
        attempt=visit["moves"] + 1,
    )
    when = format_when(visit["starts_at"], ZoneInfo(audience["zone"]), audience["language"])
    facts = _facts(audience) | {"when": when}
    await messages.write("visit_chosen", about, reader or _recipient(audience), facts)


def _end(window: Window, zone: ZoneInfo, language: str) -> str:
    """Write when a window ends: its day only where it is another one."""
    begins, ends = window.from_at.astimezone(zone), window.until_at.astimezone(zone)
    if begins.date() == ends.date():
        return ends.strftime("%H:%M")
    return format_when(ends, zone, language)


def tracking_link(token: str) -> str:
    """Make the address that the customer opens."""
    return f"{settings().public_url.rstrip('/')}/t/{token}"


@job("messages.handover_code", queue="messages", timeout=15)
@db.transactional
async def tell_handover_code(payload: dict[str, Any]) -> None:
    """Send the code that the customer tells at the door: {order_id, fulfilment_id, code}.

    The stored message does not keep the code once it is sent.
    """
    order_id, fulfilment_id = UUID(payload["order_id"]), UUID(payload["fulfilment_id"])
    audience = await _audience(order_id, fulfilment_id)
    attempt = payload.get("attempt", audience["attempt"])
    await messages.write(
        "handover_code",
        About(order_id=order_id, fulfilment_id=fulfilment_id, attempt=attempt),
        _recipient(audience),
        _facts(audience) | {"code": message_rules.SECRET},
        secret=payload["secret"],
    )
    await outbox.done()


@job("messages.tell_vendor", queue="messages", timeout=15)
@db.transactional
async def tell_vendor(payload: dict[str, Any]) -> None:
    """Write to a vendor about a purchase order: {vendor_id, po_id, template}.

    A vendor without an e-mail address becomes a problem for procurement's people.
    """
    po_id = UUID(payload["po_id"])
    order = await db.one(PURCHASE_ORDER, po_id, UUID(payload["vendor_id"]))
    if not order["email"]:
        await helpdesk.open_problem(
            "vendor_unreachable",
            f"{order['name']} has no e-mail address",
            ref=str(po_id),
            detail=f"{order['number']} waits for an answer until {order['answer_due']}.",
            order_id=order["order_id"],
            fulfilment_id=order["fulfilment_id"],
            owner_role="admin",
        )
    facts = {
        "company": settings().company_name,
        "po_number": order["number"],
        "total": format_amount(order["total_minor"], order["currency"]),
        "answer_due": order["answer_due"] or "",
    }
    recipient = Recipient(language="en", email=order["email"])
    await messages.write(payload["template"], About(po_id=po_id), recipient, facts)
    await outbox.done()


async def _audience(order_id: UUID, fulfilment_id: UUID) -> dict[str, Any]:
    return await db.one(AUDIENCE, order_id, fulfilment_id)


def _recipient(audience: dict[str, Any]) -> Recipient:
    return Recipient(
        language=audience["language"],
        phone=audience["phone"],
        email=audience["email"],
        quiet=Quiet(audience["zone"], audience["quiet_from"], audience["quiet_until"]),
    )


def _care(audience: dict[str, Any]) -> str:
    """Say what a delivery's confirmation offers; goods that nobody installs are rated at once."""
    return care_words(
        audience["language"],
        feedback=audience["ask_feedback"] and audience["needs_install"],
        coupon=audience["coupon_code"],
        review_url=audience["review_url"],
    )


def _facts(audience: dict[str, Any]) -> dict[str, str]:
    return {
        "company": settings().company_name,
        "order_number": audience["number"],
        "total": format_amount(audience["total_minor"], audience["currency"]),
    }


def _parcel(audience: dict[str, Any]) -> Parcel:
    return Parcel(**{name: audience[name] for name in Parcel.__struct_fields__})
