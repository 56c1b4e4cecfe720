"""The owner of a warranty gives it to somebody else, who confirms by the code on his phone.

From then on the link of whoever had it shows nothing of it: papers, claims and reminders are the new owner's.
"""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from doorstep import journey
from doorstep.core import blobs, db, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.jobs import job
from doorstep.flows import care, warranty_claims
from doorstep.journey.timeline import format_day
from doorstep.modules.crm import claims, documents, order_links, rules, transfers
from doorstep.modules.crm import service as crm
from doorstep.modules.messages import rules as message_rules
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.service import About, Recipient
from doorstep.settings import settings

PIECE = """
SELECT w.id, w.order_id, w.fulfilment_id, w.ends_on, coalesce(p.names ->> o.language, p.name) AS goods,
       o.number AS order_number, o.language, h.zone, h.country
  FROM warranty w
  JOIN product p ON p.id = w.product_id
  JOIN customer_order o ON o.id = w.order_id
  JOIN channel h ON h.id = o.channel_id
"""
OF_HOLDER = (
    PIECE
    + " WHERE w.fulfilment_id = $1 AND w.number = $2 AND w.state = 'active' AND w.owner_n = $3"
)
OF_OWNER = (
    PIECE.replace("SELECT ", "SELECT t.n, t.phone, ", 1)
    + " JOIN warranty_transfer t ON t.order_id = w.order_id AND t.n = w.owner_n"
)

# Whose warranty ends soon, and who was not told yet.
ENDING = (
    OF_OWNER
    + """ WHERE w.state = 'active' AND w.ends_on BETWEEN $1::date AND $1::date + $2::int
   AND NOT EXISTS (SELECT FROM message m
                    WHERE m.event = 'warranty_ending_owner' AND m.order_id = w.order_id
                      AND m.attempt = t.n)
 ORDER BY w.ends_on, w.id LIMIT $3"""
)


@db.transactional
async def ask(
    fulfilment_id: UUID, number: str, *, name: str, phone: str, actor: Actor, owner_n: int = 0
) -> None:
    """Send the code to the phone of whoever shall have a warranty; nothing is his before he tells it.

    `owner_n`: who gives it on, 0 for the order's customer.

    Raises: NotFound, WarrantyMissing; PhoneNotValid; WarrantyOver, ClaimStillOpen; TooManyTransfers.
    """
    piece = await _hold(fulfilment_id, number, actor, owner_n)
    reachable = rules.normalise_phone(phone, piece["country"])
    asked = await transfers.ask(piece["order_id"], piece["id"], name.strip(), reachable)
    await _tell(
        "warranty_transfer", piece, reachable, asked.n, asked.code, code=message_rules.SECRET
    )


async def confirm(
    fulfilment_id: UUID, number: str, code: str, *, actor: Actor, owner_n: int = 0
) -> None:
    """Give a warranty to whom the code was sent, and have his certificate printed.

    Sent again, since the answer was lost on the way, the code that has done so is right still.

    Raises: NotFound, WarrantyMissing; WarrantyOver, ClaimStillOpen; TransferCodeWrong, which has used
    up a try.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    if await transfers.was_confirmed(fulfilment_id, number, code):
        return
    # Outside of the transaction: the try that was used up stays so.
    if not await _confirm(fulfilment_id, number, code, actor, owner_n):
        raise transfers.TransferCodeWrong


@db.transactional
async def _confirm(fulfilment_id: UUID, number: str, code: str, actor: Actor, owner_n: int) -> bool:
    piece = await _hold(fulfilment_id, number, actor, owner_n)
    n = await transfers.try_code(piece["id"], code)
    if n is None:
        return False
    await outbox.add(
        "flows.print_for_new_owner",
        {"warranty_id": str(piece["id"])},
        order_id=piece["order_id"],
        key=f"new_owner:{piece['id']}:{n}",
    )
    return True


async def _hold(fulfilment_id: UUID, number: str, actor: Actor, owner_n: int) -> dict[str, Any]:
    """Take the parcel and find the piece, which its owner may give away.

    Raises: NotFound, WarrantyMissing; WarrantyOver; ClaimStillOpen: first what is broken is settled.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    await journey.lock(fulfilment_id)
    piece = await db.row(OF_HOLDER, fulfilment_id, number, owner_n)
    covered = await warranty_claims.covered(fulfilment_id, actor=actor, owner_n=owner_n)
    stands = next((one for one in covered if one.number == number), None)
    if piece is None or stands is None:
        raise claims.WarrantyMissing
    if stands.over:
        raise claims.WarrantyOver(ends_on=stands.ends_on.isoformat())
    if stands.claim_open:
        raise claims.ClaimStillOpen
    return piece


@job("flows.print_for_new_owner", queue="default", timeout=60)
async def print_for_new_owner(payload: dict[str, Any]) -> None:
    """Print the certificate of a warranty for its new owner and send him the link: {warranty_id}.

    Run again it prints anew and changes nothing: the first link and paper stand.
    """
    warranty_id = UUID(payload["warranty_id"])
    piece = await db.row(OF_OWNER + " WHERE w.id = $1 AND w.state = 'active'", warranty_id)
    if piece is None:
        # The goods have gone back meanwhile, and nobody has a warranty on them.
        await outbox.done()
        return
    found = await db.one(care.OWNED, warranty_id)
    paper = care.paper_of(msgspec.convert(found, crm.Warranty))
    # Printing is work for the processor: a thread lets the other jobs run on.
    printed = await asyncio.to_thread(documents.render_warranty, paper)
    await _hand_over(piece, await blobs.put(printed, mime="application/pdf"))


@db.transactional
async def _hand_over(piece: dict[str, Any], sha256: str) -> None:
    await journey.lock(piece["fulfilment_id"])
    until = order_links.end_of_owners_link(piece["ends_on"])
    new = await order_links.first(piece["order_id"], piece["n"], until)
    if new is not None and await transfers.hand_over(piece["id"], piece["n"], sha256):
        link = owners_link(new.token)
        await _tell(
            "warranty_yours", piece, piece["phone"], piece["n"], link, link=message_rules.SECRET
        )
    await outbox.done()


def owners_link(token: str) -> str:
    """Make the address that a new owner opens."""
    return f"{settings().public_url.rstrip('/')}/t/warranties/{token}"


async def remind_owners(today: date, days: int, limit: int) -> None:
    """Tell new owners whose warranty ends within so many days, each once."""
    for piece in await db.rows(ENDING, today, days, limit):
        await _tell("warranty_ending_owner", piece, piece["phone"], piece["n"], None)


async def _tell(
    event: str, piece: dict[str, Any], phone: str, n: int, secret: str | None, **facts: str
) -> None:
    """Write to somebody who is not the order's customer: nothing of the order but its number."""
    about = About(order_id=piece["order_id"], fulfilment_id=piece["fulfilment_id"], attempt=n)
    known = {
        "company": settings().company_name,
        "order_number": piece["order_number"],
        "goods": piece["goods"],
        "when": format_day(piece["ends_on"], piece["language"]),
    }
    recipient = Recipient(language=piece["language"], phone=phone)
    await messages.write(event, about, recipient, known | facts, secret=secret)
