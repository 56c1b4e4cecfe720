"""The ordinary order approves itself and says why; the rest waits for a person (SPEC P5, P8, O8).

Level-triggered like the money: it reads what is true now, under the order's lock. A reservation is
judged when the order is placed and again when it is paid, a payment whenever money is heard of.
What waits is a row of `approval`, the detour `approval_waiting` on the order's fulfilments and a
problem with a deadline; holds run on.
"""

from __future__ import annotations

from datetime import timedelta
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

KINDS: tuple[Kind, ...] = ("reservation", "payment")
DETOUR = "approval_waiting"

PROBLEMS: dict[Kind, tuple[str, str]] = {
    "reservation": ("reservation_approval", "The reservation needs an approval"),
    "payment": ("payment_approval_waiting", "The payment needs an approval"),
}
"""Kind → the problem that it opens, and its title."""


class ApprovalDecided(Refusal):
    """Two people looked at the same order: the first word counts."""

    title = "Somebody has decided this already."


class OwnOrder(NotAllowed):
    title = "Whoever placed an order does not approve it."


class OrderHasEnded(Refusal):
    title = "The order has ended: there is nothing left to approve."


class Judged(msgspec.Struct, frozen=True):
    """An order under its lock: what is judged, and how people call it."""

    subject: Subject
    number: str


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
        decided = await approvals.record(judged.subject, judgement)
        await stop_waiting(held, decided, Actor.system("approvals"))
        return decided
    return held


async def take(order_id: UUID, kind: Kind) -> Judged:
    """Lock an order and read what it is judged on."""
    row = await db.one(sql.SUBJECT, order_id, now() - timedelta(days=REFUSED_DAYS))
    policy = await approvals.policy_of(row["channel_id"], row["currency"])
    facts = msgspec.convert({name: row[name] for name in Facts.__struct_fields__}, Facts)
    subject = Subject(order_id=order_id, kind=kind, policy=policy, facts=facts)
    return Judged(subject, row["number"])


async def _wait(judged: Judged, held: Approval) -> None:
    """Hold the order's fulfilments back and ask a person, with a deadline."""
    kind, order_id = held.kind, held.order_id
    for fulfilment in await db.rows(sql.HELD_BACK, order_id):
        if fulfilment["waits_for"] is None:
            await _hold_back(fulfilment["id"], held)
    problem, title = PROBLEMS[kind]
    await helpdesk.open_problem(
        problem,
        f"{judged.number}: {title}",
        ref=_ref(held),
        detail=" ".join(held.reasons),
        order_id=order_id,
    )


def _ref(held: Approval) -> str:
    """Name what the problem's action is about: the approval, or for a payment its order."""
    return str(held.order_id if held.kind == "payment" else held.id)


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


async def stop_waiting(waited: Approval, decided: Approval, actor: Actor) -> None:
    """Let the fulfilments go on that waited for this decision, unless the other is still missing."""
    await end_problem(waited, decided)
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
    if kind == "reservation":
        await _allocate_what_is_paid(order_id, actor)


async def _allocate_what_is_paid(order_id: UUID, actor: Actor) -> None:
    """Let the reservations go on that the payment has found waiting."""
    for fulfilment in await db.rows(sql.HELD_BACK, order_id):
        if fulfilment["paid"]:
            await journey.state_fact(
                "reservation_approved",
                fulfilment["id"],
                actor=actor,
                event_id=journey.derived_id(fulfilment["id"], "reservation_approved"),
            )


async def end_problem(waited: Approval, decided: Approval) -> None:
    """Take the question out of the desk's queue: it is answered."""
    words = f"{decided.verdict.capitalize()}: {' '.join(decided.reasons)}"
    await helpdesk.close_problems(
        PROBLEMS[waited.kind][0], _ref(waited), words[:1000], Actor.system("approvals")
    )


async def drop_questions(fact: journey.Fact) -> None:
    """Ask nobody any more about an order that has ended while it waited."""
    if fact.data["closed_as"] != "ended" or await db.value(sql.LIVING, fact.order_id):
        return
    actor, words = Actor.system("approvals"), "The order has ended."
    for kind, (problem, _) in PROBLEMS.items():
        waited = await approvals.standing(fact.order_id, kind)
        if waited is not None and waited.verdict == "waiting":
            await helpdesk.close_problems(problem, _ref(waited), words, actor)


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
    if held is not None:
        await stop_waiting(held, decided, actor)


def decided_already(held: Approval) -> ApprovalDecided:
    """Tell the second of two people what the first has decided."""
    return ApprovalDecided(
        f"{held.verdict.capitalize()} {held.decided_at:%Y-%m-%d %H:%M} UTC: {' '.join(held.reasons)}",
        verdict=held.verdict,
        decided_by=held.decided_by,
        decided_role=held.decided_role,
        decided_at=held.decided_at,
    )
