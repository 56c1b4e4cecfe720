"""The ordinary order approves itself and says why; the rest waits for a person (SPEC P5, P8, O8).

Level-triggered like the money: it reads what is true now, under the order's lock. A reservation is
judged when the order is placed and again when it is paid, a payment whenever money is heard of.
What waits is a row of `approval`, the detour `approval_waiting` on the order's fulfilments and a
problem with a deadline; holds run on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotAllowed, Refusal
from doorstep.flows import approvals_sql as sql
from doorstep.modules.finance.rules import approvals as rules
from doorstep.modules.finance.rules.approvals import Facts, Kind
from doorstep.modules.finance.rules.payments import REFUSED_DAYS, PaymentDecision
from doorstep.modules.finance.service import approvals
from doorstep.modules.finance.service.approvals import Approval, Subject, Verdict
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.scm.rules import add_working_hours

KINDS: tuple[Kind, ...] = ("reservation", "payment")
DETOUR = "approval_waiting"
ANSWER_WITHIN = timedelta(hours=4)
"""Working time of the channel's desk until a waiting order is overdue."""
DESK_HOURS = (("09:00", "18:00"),)

PROBLEMS: dict[Kind, tuple[str, str, str]] = {
    "reservation": ("reservation_approval", "dispatcher", "The reservation needs an approval"),
    "payment": ("payment_approval_waiting", "finance", "The payment needs an approval"),
}
"""Kind → the problem it opens, whose queue it stands in, and its title."""


class ApprovalDecided(Refusal):
    """Two people looked at the same order: the first word counts."""

    title = "Somebody has decided this already."


class OwnOrder(NotAllowed):
    title = "Whoever placed an order does not approve it."


class OrderHasEnded(Refusal):
    title = "The order has ended: there is nothing left to approve."


class Judged(msgspec.Struct, frozen=True):
    """An order under its lock: what is judged, and what its deadline and title are made of."""

    subject: Subject
    number: str
    zone: str
    working_week: Sequence[int]


# --- The policy's word --------------------------------------------------------------------------


@db.transactional
async def reservation_approved(order_id: UUID) -> bool:
    """Tell whether an order's goods may be reserved for good (P5), judging it where need be."""
    return (await _judge(order_id, "reservation")).verdict == "approved"


@db.transactional
async def judge_payment(order_id: UUID) -> PaymentDecision:
    """Tell whether a payment that lacks nothing may let the goods go (P8), judging it where need be."""
    held = await _judge(order_id, "payment")
    words = " ".join(held.reasons)
    if held.verdict == "approved":
        return PaymentDecision("verified", words)
    return PaymentDecision(
        "approval_waiting", words if held.verdict == "waiting" else f"Rejected: {words}"
    )


async def _judge(order_id: UUID, kind: Kind) -> Approval:
    judged = await take(order_id, kind)
    held = await approvals.standing(order_id, kind)
    if held is not None and held.verdict != "waiting":
        return held
    judgement = rules.decide(kind, judged.subject.policy.rules, judged.subject.facts)
    if held is None:
        held = await approvals.record(judged.subject, judgement)
        if not judgement.approved:
            await _wait(judged, held)
    elif judgement.approved:
        # What spoke against it is no longer so: the phone is verified, the shelf is full again.
        held = await approvals.record(judged.subject, judgement)
        await stop_waiting(judged, Actor.system("approvals"), held)
    return held


async def take(order_id: UUID, kind: Kind) -> Judged:
    """Lock an order and read what it is judged on."""
    row = await db.one(sql.SUBJECT, order_id, now() - timedelta(days=REFUSED_DAYS))
    policy = await approvals.policy_of(row["channel_id"], row["currency"])
    facts = msgspec.convert({name: row[name] for name in Facts.__struct_fields__}, Facts)
    subject = Subject(order_id=order_id, kind=kind, policy=policy, facts=facts)
    return Judged(subject, row["number"], row["zone"], row["working_week"])


async def _wait(judged: Judged, held: Approval) -> None:
    """Hold the order's fulfilments back and ask a person, with a deadline."""
    kind, order_id = held.kind, held.order_id
    for fulfilment in await db.rows(sql.HELD_BACK, order_id):
        if fulfilment["waits_for"] is None:
            await _hold_back(fulfilment["id"], held)
    problem, owner, title = PROBLEMS[kind]
    await helpdesk.open_problem(
        problem,
        f"{judged.number}: {title}",
        ref=str(order_id),
        detail=" ".join(held.reasons),
        order_id=order_id,
        owner_role=owner,
        due_at=due_at(judged),
    )


def due_at(judged: Judged) -> datetime:
    """Tell until when the desk of the order's channel must answer."""
    hours = {str(day): DESK_HOURS for day in judged.working_week}
    return add_working_hours(now(), ANSWER_WITHIN, judged.zone, hours)


async def _hold_back(fulfilment_id: UUID, held: Approval) -> None:
    await journey.open_detour(
        journey.derived_id(fulfilment_id, f"{DETOUR}:{held.kind}"),
        fulfilment_id,
        DETOUR,
        actor=Actor.system("approvals"),
        reason=held.kind,
        detail=" ".join(held.reasons),
        evidence=[journey.Evidence("approval", str(held.id))],
    )


async def stop_waiting(judged: Judged, actor: Actor, decided: Approval) -> None:
    """Let the fulfilments go on that waited for this decision, unless the other is still missing."""
    kind, order_id = decided.kind, decided.order_id
    other = await approvals.standing(
        order_id, "payment" if kind == "reservation" else "reservation"
    )
    for fulfilment in await db.rows(sql.HELD_BACK, order_id):
        if fulfilment["waits_for"] != kind:
            continue
        await journey.settle_detour(
            journey.derived_id(fulfilment["id"], f"{DETOUR}_settled:{kind}"),
            fulfilment["id"],
            DETOUR,
            actor=actor,
            evidence=[journey.Evidence("approval", str(decided.id))],
        )
        if other is not None and other.verdict != "approved":
            await _hold_back(fulfilment["id"], other)
    await close_problem(decided, actor)


async def close_problem(decided: Approval, actor: Actor) -> None:
    """Take the question out of the desk's queue: it is answered."""
    words = f"{decided.verdict.capitalize()}: {' '.join(decided.reasons)}"
    await helpdesk.close_about(
        PROBLEMS[decided.kind][0], str(decided.order_id), actor=actor, words=words[:1000]
    )


# --- A person's word ----------------------------------------------------------------------------


async def say(
    judged: Judged, event_id: UUID, verdict: Verdict, reason: str, actor: Actor
) -> Approval:
    """Write what a person says; the caller holds the order's lock and no decision stands yet.

    Raises: OwnOrder, OrderHasEnded, EventIdReused.
    """
    order_id = judged.subject.order_id
    if not await db.value(sql.LIVING, order_id):
        raise OrderHasEnded
    if await db.value(sql.PLACED_BY, order_id) == actor.person_id:
        raise OwnOrder
    return await approvals.record_word(event_id, judged.subject, verdict, reason, actor)


async def approve_payment(order_id: UUID, event_id: UUID, reason: str, *, actor: Actor) -> None:
    """Write a person's word that a payment may pass, once; it may come before the policy's.

    Raises: ApprovalDecided after a rejection, OwnOrder, OrderHasEnded, EventIdReused.
    """
    judged = await take(order_id, "payment")
    held = await approvals.standing(order_id, "payment")
    if held is not None and held.verdict != "waiting":
        if held.verdict == "rejected":
            raise decided_already(held)
        return
    decided = await say(judged, event_id, "approved", reason, actor)
    await stop_waiting(judged, actor, decided)


def decided_already(held: Approval) -> ApprovalDecided:
    """Tell the second of two people what the first has decided."""
    return ApprovalDecided(
        f"{held.verdict.capitalize()} {held.decided_at:%Y-%m-%d %H:%M} UTC: {' '.join(held.reasons)}",
        verdict=held.verdict,
        decided_by=held.decided_by,
        decided_role=held.decided_role,
        decided_at=held.decided_at,
    )
