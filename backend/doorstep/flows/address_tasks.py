"""What an address lacks is asked before the goods leave: the customer first, then a desk (P2).

The customer is asked once his goods are reserved (1003): the order is paid by then, or will be at the
door, and his answer still has days. A desk gets the task when a parcel has passed its check (1006):
now the goods will leave, and neither the label nor the carrier's booking (1007, 1008), which carry the
address, is made yet. What he has answered until then is nobody's task. Who collects at the counter
is asked for nothing.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.flows import notify
from doorstep.modules.crm import rules as crm_rules
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.messages.address_words import address_words

KIND = "address_incomplete"

# Something of the order `o` has still to leave for its address.
TRAVELS = """EXISTS (SELECT FROM fulfilment f
                    WHERE f.order_id = o.id AND f.state = 'open' AND NOT f.collection
                      AND NOT 1009 = ANY (f.passed))"""

STANDS = f"""
SELECT o.number, a.missing, {TRAVELS} AS travels,
       EXISTS (SELECT FROM fulfilment f WHERE f.order_id = o.id AND f.state = 'open') AS lives,
       EXISTS (SELECT FROM message m
                WHERE m.order_id = o.id AND m.event = 'address_incomplete') AS asked,
       EXISTS (SELECT FROM problem p
                WHERE p.kind = 'address_incomplete' AND p.ref = o.id::text) AS task_given
  FROM customer_order o JOIN address a ON a.id = o.address_id
 WHERE o.id = $1
"""  # noqa: S608 - a constant of this file


class Standing(NamedTuple):
    """How an order stands to its address: `lacking` are the parts that its country asks for, and a phone."""

    number: str
    lacking: list[str]
    travels: bool
    lives: bool
    asked: bool
    task_given: bool


def why_over(stands: Standing) -> str | None:
    """Say in words why nobody has to ask for the address any more; None while somebody has."""
    if not stands.lacking:
        return "The address is complete."
    if not stands.lives:
        return "Nothing of the order is on its way any more."
    if not stands.travels:
        return "The goods have left without it."
    return None


async def ask_customer(fact: journey.Fact) -> None:
    """Ask the customer for what his address lacks, by one message for the order."""
    stands = await _standing(fact.order_id)
    # Whoever has no number gets no message, and does not say on the page whom to send codes to.
    door = [part for part in stands.lacking if part in crm_rules.ADDRESS_PARTS]
    if door and why_over(stands) is None and not stands.asked:
        await notify.ask_for_address(fact.order_id, fact.fulfilment_id, door)


async def ask_desk(fact: journey.Fact) -> None:
    """Give a desk the task of asking for what is still lacking, once for the order."""
    stands = await _standing(fact.order_id)
    if why_over(stands) is None and not stands.task_given:
        title, detail = _words(stands)
        await helpdesk.open_problem(
            "address_incomplete",
            title,
            ref=str(fact.order_id),
            detail=detail,
            order_id=fact.order_id,
        )


async def stop_asking_for_address(fact: journey.Fact) -> None:
    """Close the task when the goods have left without it, or nothing of the order is to leave."""
    await review(fact.order_id, actor=fact.actor)


async def review(order_id: UUID, *, actor: Actor) -> None:
    """Close the task if it is over; else let it say what is still lacking. The caller holds the order."""
    stands = await _standing(order_id)
    if not stands.task_given:
        return
    over = why_over(stands)
    if over is None:
        await helpdesk.restate_problem(KIND, str(order_id), *_words(stands))
    else:
        await helpdesk.close_problems(KIND, str(order_id), over, actor)


async def _standing(order_id: UUID) -> Standing:
    found = await db.one(STANDS, order_id)
    lacking = [part for part in found.pop("missing") if part in crm_rules.ASKED_BY_DESK]
    return Standing(lacking=lacking, **found)


def _words(stands: Standing) -> tuple[str, str]:
    missing = address_words("en", stands.lacking)
    asked = " The customer was asked by a message with a link." if stands.asked else ""
    return f"{stands.number}: the address lacks {missing}", f"Still to be asked: {missing}.{asked}"
