"""Detours in general: desks report and settle them, customers hear of them, people get the task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Invalid, Refusal
from doorstep.flows import appeals, earnings, replace_part
from doorstep.modules.helpdesk import service as helpdesk


class Task(NamedTuple):
    """What a person is asked when a detour opens; the kind's row in helpdesk says whose it is."""

    title: str


TASKS: Mapping[str, Task] = {
    "short_stock": Task("There is no stock for these goods"),
    "vendor_silent": Task("The vendor has not answered, and his time is nearly up"),
    "pickup_missed": Task("The carrier missed the pickup"),
    "carrier_delayed": Task("The carrier reports a delay"),
    "carrier_lost": Task("The carrier cannot find the parcel"),
    "carrier_damaged": Task("The carrier has damaged the parcel"),
    "return_to_origin": Task("The goods are on their way back"),
    "serial_differs": Task("Another serial was handed over than was picked"),
    "hidden_damage": Task("The customer reports damage"),
    "dead_on_arrival": Task("A unit does not work on arrival"),
    "part_missing": Task("A part is missing"),
    "return_requested": Task("The customer wants to return goods"),
    "returned_part": Task("A part of the goods has come back"),
    "dispute": Task("Money is disputed"),
}
"""Detours that wait for a person; the others settle themselves or end the fulfilment."""

BY_HAND = frozenset(
    {
        "vendor_declined", "repick", "pickup_missed", "carrier_delayed", "carrier_lost",
        "carrier_damaged", "delivery_failed", "return_to_origin", "wrong_goods", "serial_differs",
        "hidden_damage", "dead_on_arrival", "part_missing", "installation_failed", "lost",
        "replaced", "dispute",
    }
)  # fmt: skip
"""What a desk may report by the general door; cancelling and returning have doors of their own."""


CARRIED = """
SELECT l.id, l.quantity, array(SELECT u.serial FROM unit u WHERE u.fulfilment_line_id = l.id) AS serials
  FROM fulfilment_line l WHERE l.fulfilment_id = $1
"""


class LineNotOfParcel(Invalid):
    """A detour names goods that its parcel does not carry, or more pieces than it has."""

    title = "These goods are not of this parcel, or fewer of them."


class WholeParcelOnly(Invalid):
    """An end concerns all that a parcel carries: what is told of a part would recall everything.

    Only pieces that are with the customer are replaced by themselves.
    """

    title = "This ends the whole parcel and cannot be told of a part of it."


ABOUT_A_PROOF = """
SELECT fulfilment_id FROM problem
 WHERE id = $1 AND kind = ANY ($2::text[]) AND fulfilment_id IS NOT NULL AND closed_at IS NULL
"""

STILL_OPEN = """
SELECT d.kind, d.fulfilment_id FROM problem p
  JOIN detour_case d ON d.fulfilment_id = p.fulfilment_id AND d.kind = p.kind AND d.closed_at IS NULL
 WHERE p.id = $1 AND p.closed_at IS NULL
"""


class DetourStillOpen(Refusal):
    """Goods or money wait for this detour: without its task nobody would be asked about it."""

    title = "This problem stands for a detour that is still open. Please settle that."


class NotByHand(Invalid):
    title = "This detour is not reported by hand, or has a door of its own."


@db.transactional
async def report(
    event_id: UUID,
    fulfilment_id: UUID,
    kind: str,
    *,
    actor: Actor,
    reason: str = "",
    detail: str = "",
    lines: Sequence[journey.Quantity] = (),
) -> journey.Answer:
    """Open a detour on a desk's word; `replaced` may name some pieces that are with the customer.

    Raises: NotFound outside the actor's sight; NotByHand; LineNotOfParcel; WholeParcelOnly; the
    engine's refusals.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    if kind not in BY_HAND:
        raise NotByHand(kind)
    fulfilment = await journey.lock(fulfilment_id)
    parcel_id = await replace_part.reported(event_id, fulfilment_id) or fulfilment_id
    if lines and parcel_id == fulfilment_id:
        await check_lines(fulfilment_id, lines)
        if kind == "replaced" and await replace_part.is_part(fulfilment, lines):
            parcel_id = await replace_part.split(event_id, fulfilment, lines, reason, actor=actor)
        elif journey.DETOURS[kind].ends_as is not None:
            await _require_whole(fulfilment_id, kind, lines)
    return await journey.open_detour(
        event_id, parcel_id, kind, actor=actor, reason=reason, detail=detail, lines=lines
    )


async def check_lines(fulfilment_id: UUID, lines: Sequence[journey.Quantity]) -> None:
    """Refuse goods that a parcel does not carry, or more of them than it does.

    Raises: LineNotOfParcel.
    """
    rows = {row["id"]: row for row in await db.rows(CARRIED, fulfilment_id)}
    for line_id, quantity in _named(lines).items():
        if line_id not in rows or quantity > rows[line_id]["quantity"]:
            raise LineNotOfParcel
    for line in lines:
        if not set(line.serials) <= set(rows[line.fulfilment_line_id]["serials"]):
            raise LineNotOfParcel("The line has no such serial.")


async def _require_whole(fulfilment_id: UUID, kind: str, lines: Sequence[journey.Quantity]) -> None:
    carried = {row["id"]: row["quantity"] for row in await db.rows(CARRIED, fulfilment_id)}
    # A repeat after the end finds the lines as they were.
    if _named(lines) != carried:
        raise WholeParcelOnly(kind=kind)


def _named(lines: Sequence[journey.Quantity]) -> Counter[UUID]:
    named: Counter[UUID] = Counter()
    for line in lines:
        named[line.fulfilment_line_id] += line.quantity
    return named


async def settle(event_id: UUID, fulfilment_id: UUID, kind: str, *, actor: Actor) -> journey.Answer:
    """Say that an open detour is over; what it has held back is tried again.

    Raises: NotFound outside the actor's sight; NotByHand for what there is not; the engine's
    refusals.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    if kind not in journey.DETOURS:
        raise NotByHand(kind)
    return await journey.settle_detour(event_id, fulfilment_id, kind, actor=actor)


@db.transactional
async def close_problem(problem_id: UUID, *, actor: Actor, words: str) -> None:
    """Close a problem by hand, unless a detour stands behind it that is not over.

    To close what was asked about a proof is a no to it: then it earns nothing (`flows/earnings.py`).

    Raises: DetourStillOpen; TicketStillOpen.
    """
    detour = await db.row(STILL_OPEN, problem_id)
    if detour is not None:
        raise DetourStillOpen(kind=detour["kind"], fulfilment_id=str(detour["fulfilment_id"]))
    proof = await db.row(ABOUT_A_PROOF, problem_id, list(appeals.QUESTIONS))
    if proof is not None:
        await journey.lock(proof["fulfilment_id"])
    await helpdesk.close_problem(problem_id, actor=actor, words=words)
    if proof is not None:
        await earnings.settle(proof["fulfilment_id"])


# --- Reactions to every detour --------------------------------------------------------------------


async def ask_for_help(fact: journey.Fact) -> None:
    """Give a person the task, if the detour waits for one."""
    task = TASKS.get(fact.data["kind"])
    if task is None:
        return
    reason = fact.data["reason"].replace("_", " ")
    await helpdesk.open_problem(
        fact.data["kind"],
        f"{task.title}: {reason}" if reason else task.title,
        ref=str(fact.fulfilment_id),
        detail=fact.data["detail"],
        order_id=fact.order_id,
        fulfilment_id=fact.fulfilment_id,
    )


async def end_task(fact: journey.Fact) -> None:
    """Close the task of a detour that is over."""
    if fact.data["kind"] in TASKS:
        await helpdesk.close_problems(
            fact.data["kind"],
            str(fact.fulfilment_id),
            f"The detour is {fact.data['closed_as']}.",
            fact.actor,
        )
