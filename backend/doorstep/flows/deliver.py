"""At the door: handover code, proof of delivery (1013), and the bytes of its pictures (V4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db, outbox, previews
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.money import Money
from doorstep.flows import earnings, part_delivery, proof_checks, proof_pictures, shift_close
from doorstep.flows.stops import ask_of_stop
from doorstep.journey import Evidence, Verdict
from doorstep.modules.finance.service import door_links
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import (
    CodeTriesExhausted,
    CodeUnavailable,
    ProofMissing,
    StopMissing,
)
from doorstep.modules.tms.schemas import ProofOfDelivery
from doorstep.modules.tms.service.codes import CodeCheck
from doorstep.modules.tms.service.pods import Judgement, StopFacts

OWN_STOP = """
SELECT s.id, s.order_id, s.fulfilment_id
  FROM delivery_stop s JOIN run_person p ON p.run_id = s.run_id
 WHERE s.id = $1 AND p.person_id = $2
"""

# A proof that waits for a dispatcher: it lacks something, or its check or code keeps V4 or asks.
WAITING_POD = """
SELECT * FROM (
  SELECT p.fulfilment_id, p.person_id, p.device_id, p.captured_at, p.verdict, p.verdict_reason,
         person.role, person.name, p.verdict = 'review' AND p.missing <> '{}' AS incomplete,
         p.verdict <> 'rejected' AND p.hold_lifted_at IS NULL
           AND (p.hold_reason IS NOT NULL OR coalesce(p.check_verdict <> 'passed', false)) AS doubted
    FROM pod p JOIN person ON person.id = p.person_id WHERE p.id = $1) x
 WHERE incomplete OR doubted
"""

# --- Handover code ------------------------------------------------------------------------------


async def issue_handover_code(fact: journey.Fact) -> None:
    """Out for delivery: make this attempt's code and have it told to the customer.

    A 1012 that a later event implies comes when the goods are handed over already.
    """
    if fact.data["how"] != "done":
        return
    code = await tms.issue_code(fact.order_id, fact.fulfilment_id, fact.attempt)
    if code is not None:
        await outbox.add(
            "messages.handover_code",
            {
                "order_id": fact.order_id,
                "fulfilment_id": fact.fulfilment_id,
                "attempt": fact.attempt,
                "secret": code,
            },
            order_id=fact.order_id,
        )


async def check_code(stop_id: UUID, code: str, *, actor: Actor) -> CodeCheck:
    """Tell a courier with signal whether the customer's code is right, before he lets go.

    Raises: StopMissing, CodeUnavailable, CodeTriesExhausted.
    """
    stop = await own_stop(stop_id, actor)
    attempt = await db.value("SELECT attempt FROM fulfilment WHERE id = $1", stop["fulfilment_id"])
    check = await tms.check_code(stop["fulfilment_id"], attempt, code)
    if not check.issued:
        raise CodeUnavailable
    if not check.ok and check.tries_left == 0:
        raise CodeTriesExhausted
    return check


async def own_stop(stop_id: UUID, actor: Actor) -> dict[str, Any]:
    stop = await db.row(OWN_STOP, stop_id, actor.person_id)
    if stop is None:
        raise StopMissing
    return stop


# --- Proof of delivery --------------------------------------------------------------------------


@db.transactional
async def record_pod(stop_id: UUID, proof: ProofOfDelivery, *, actor: Actor) -> journey.Answer:
    """Keep a proof of delivery and pass 1013 if it brings what the stop's recipe asks (SPEC F2).

    Where a proof is missing, a person at a screen is refused, while a phone's capture is kept for
    review. A wrong code passes 1013 and holds V4; other money than due is kept; both become
    problems. The same event id again gets its first answer.

    Raises: StopMissing, ProofMissing, EventIdReused, and the engine's refusals for a person.
    """
    stop = await own_stop(stop_id, actor)
    fulfilment = await journey.lock(stop["fulfilment_id"])
    known = await db.row(
        "SELECT stop_id, verdict, verdict_reason FROM pod WHERE id = $1", proof.event_id
    )
    if known is not None:
        if known["stop_id"] != stop_id:
            raise EventIdReused(str(proof.event_id))
        return _answer(known["verdict"], known["verdict_reason"], proof.event_id, fulfilment)
    facts, judged, labels = await _judge(stop, fulfilment, proof, actor)
    await tms.keep_pod(actor, facts, proof, judged)
    await previews.name(proof.photos, actor=actor)
    await _ask_for_help(facts, proof, judged)
    await _look_for_pictures(fulfilment["order_id"], proof)
    if proof.kept_back and not judged.missing and _on_its_way(fulfilment):
        await part_delivery.split(fulfilment, proof.kept_back, proof.event_id, actor=actor)
    await _compare_serials(fulfilment, proof, actor)
    # Its pictures may be here already; then V4 must know before 1013 lets it go.
    await proof_checks.judge(fulfilment["id"], actor=Actor.system("deliver.record_pod"))
    answer = await _deliver(proof, judged, labels, fulfilment, actor)
    await tms.settle_pod(proof.event_id, answer.verdict.value, answer.reason)
    await proof_checks.let_go(fulfilment["id"], actor=Actor.system("deliver.record_pod"))
    if answer.verdict is not Verdict.REJECTED:
        if await tms.close_stop(stop_id) is not None:
            await _tell_of_reassigned(stop["order_id"], fulfilment["id"], actor)
        await shift_close.note_late_cash(stop_id, fulfilment["order_id"])
    if answer.verdict is Verdict.DUPLICATE:
        # A carrier had said "delivered" before; now its proof is here (V4).
        await proof_pictures.state_bytes_verified(fulfilment["id"], actor)
    await earnings.settle(fulfilment["id"])
    return answer


def _on_its_way(fulfilment: dict[str, Any]) -> bool:
    return fulfilment["state"] == "open" and 1013 not in fulfilment["passed"]


async def _compare_serials(
    fulfilment: dict[str, Any], proof: ProofOfDelivery, actor: Actor
) -> None:
    """Same model, other serial: it is handed over, and V4 to V6 wait for the vendor's word."""
    words = await part_delivery.differing_serials(fulfilment["id"], proof.serials)
    if not words or fulfilment["state"] != "open":
        return
    await journey.open_detour(
        journey.derived_id(fulfilment["id"], f"serial_differs:{proof.event_id}"),
        fulfilment["id"],
        "serial_differs",
        actor=actor if actor.source != "person" else Actor.system("deliver.compare_serials"),
        detail=words,
        captured_at=proof.captured_at,
    )


async def _judge(
    stop: dict[str, Any], fulfilment: dict[str, Any], proof: ProofOfDelivery, actor: Actor
) -> tuple[StopFacts, Judgement, Sequence[str]]:
    asked = await ask_of_stop(fulfilment)
    due_minor = asked.due_without(proof.kept_back)
    handed_to = "customer" if proof.receiver.relation == "customer" else "other"
    recipe = asked.recipe(handed_to, due_minor)
    labels = _labels_asked(asked.labels, proof)
    missing = rules.missing_proofs(recipe, _capture(proof), labels=labels, due_minor=due_minor)
    if not await part_delivery.understood(fulfilment["id"], proof.kept_back):
        missing.append("kept_back")
    if missing and actor.source == "person":
        raise ProofMissing(missing=missing)
    check = await _check(fulfilment, proof)
    judged = Judgement(
        missing=missing,
        code_ok=check and check.ok,
        hold_reason=check and rules.hold_reason(code_ok=check.ok, code_issued=check.issued),
        required_slots=recipe.photo_slots,
        verdict="review" if missing else "applied",
        reason=f"The capture lacks: {', '.join(missing)}." if missing else "",
    )
    facts = StopFacts(
        stop["id"],
        fulfilment["order_id"],
        fulfilment["id"],
        fulfilment["attempt"],
        asked.currency,
        due_minor,
    )
    return facts, judged, labels


def _labels_asked(labels: Sequence[str], proof: ProofOfDelivery) -> Sequence[str]:
    """Ask for every box, or in a part delivery for those that were handed over: one at least."""
    if not proof.kept_back:
        return labels
    return [label for label in labels if label in proof.scanned_labels] or labels


def _capture(proof: ProofOfDelivery) -> rules.Capture:
    return rules.Capture(
        scanned_labels=proof.scanned_labels,
        photo_slots=[photo.slot for photo in proof.photos],
        has_code=bool(proof.handover_code),
        has_signature=proof.signature is not None,
        receiver_name=proof.receiver.name,
        has_place=proof.place is not None,
        tendered_minor=sum(tender.amount_minor for tender in proof.tenders),
    )


async def _check(fulfilment: dict[str, Any], proof: ProofOfDelivery) -> CodeCheck | None:
    if not proof.handover_code:
        return None
    return await tms.check_code(fulfilment["id"], fulfilment["attempt"], proof.handover_code)


async def _deliver(
    proof: ProofOfDelivery,
    judged: Judgement,
    labels: Sequence[str],
    fulfilment: dict[str, Any],
    actor: Actor,
) -> journey.Answer:
    if judged.missing:
        return _answer("review", judged.reason, proof.event_id, fulfilment)
    return await journey.advance(
        proof.event_id,
        fulfilment["id"],
        1013,
        actor=actor,
        evidence=_evidence(proof, labels, judged.code_ok),
        captured_at=proof.captured_at,
    )


def _evidence(
    proof: ProofOfDelivery, labels: Sequence[str], code_ok: bool | None
) -> list[Evidence]:
    """List the proofs by reference only: names and places stay in the erasable row."""
    pod_id = str(proof.event_id)
    found = [Evidence("pod", pod_id)]
    found += [Evidence("photo", photo.slot, photo.sha256) for photo in proof.photos]
    found += [Evidence("scan", label) for label in labels if label in proof.scanned_labels]
    if code_ok is not None:
        found.append(Evidence("code", "right" if code_ok else "wrong"))
    if proof.place is not None:
        found.append(Evidence("place", pod_id))
    if proof.signature is not None:
        found.append(Evidence("signature", pod_id, rules.hash_strokes(proof.signature)))
    found += [Evidence("tender", f"{pod_id}/{n}") for n, _ in enumerate(proof.tenders, start=1)]
    return found


def _answer(
    verdict: str, reason: str, event_id: UUID, fulfilment: dict[str, Any]
) -> journey.Answer:
    return journey.Answer(Verdict(verdict), reason, event_id, 1013, fulfilment["progress"])


async def _ask_for_help(facts: StopFacts, proof: ProofOfDelivery, judged: Judgement) -> None:
    tendered = sum(tender.amount_minor for tender in proof.tenders)
    by_link = sum(one.amount_minor for one in proof.tenders if one.method == "payment_link")
    # The gateway's word has made less due already; without it a link is nobody's money.
    paid = min(by_link, await door_links.paid_of(facts.fulfilment_id)) if by_link else 0
    unpaid = f" The gateway has {Money(paid, facts.currency)} of it by link." if by_link else ""
    problems = [
        ("pod_incomplete", "A proof of delivery is not complete", judged.reason, "dispatcher"),
        (
            "handover_code_wrong",
            "A delivery was handed over without the right code",
            judged.hold_reason or "",
            "dispatcher",
        ),
        (
            "door_payment_differs",
            "Other money than due was taken at the door",
            f"Due {Money(facts.due_minor, facts.currency)}, "
            f"taken {Money(tendered, facts.currency)}.{unpaid}{_shown(facts, proof)}",
            "finance",
        ),
    ]
    found = [
        bool(judged.missing),
        judged.hold_reason is not None,
        paid < by_link or rules.tender_differs(facts.due_minor, tendered - paid),
    ]
    for (kind, title, detail, owner), applies in zip(problems, found, strict=True):
        if applies:
            await helpdesk.open_problem(
                kind,
                title,
                ref=str(proof.event_id),
                detail=detail,
                order_id=facts.order_id,
                fulfilment_id=facts.fulfilment_id,
                owner_role=owner,
            )


def _shown(facts: StopFacts, proof: ProofOfDelivery) -> str:
    """Say what the phone showed, where that is why other money was taken than is due."""
    if proof.shown_minor in (None, facts.due_minor):
        return ""
    return f" The phone showed {Money(proof.shown_minor or 0, facts.currency)}."


async def _tell_of_reassigned(order_id: UUID, fulfilment_id: UUID, actor: Actor) -> None:
    """Tell the dispatcher that whoever had the delivery first has done it after all."""
    await helpdesk.open_problem(
        "delivered_by_another",
        "A delivery that was given to somebody else has been made by whoever had it before",
        ref=str(fulfilment_id),
        detail=f"{actor.name} delivered it; the other one's stop is taken off his run.",
        order_id=order_id,
        fulfilment_id=fulfilment_id,
        owner_role="dispatcher",
    )


async def _look_for_pictures(order_id: UUID, proof: ProofOfDelivery) -> None:
    """Have each picture looked for once more after the commit.

    One that is verified at this very moment sees no proof that names it, and this transaction
    does not see the picture; whoever commits last finds the other.
    """
    await outbox.add_many(
        [
            outbox.Addition(
                "flows.blob_verified",
                {"sha256": photo.sha256},
                order_id,
                f"blob_verified:{photo.sha256}:{proof.event_id}",
            )
            for photo in proof.photos
        ]
    )


@db.transactional
async def accept_pod(pod_id: UUID, reason: str, *, actor: Actor) -> journey.Answer:
    """Let a proof that lacks something, or that its check doubts, count on a dispatcher's word.

    Where 1013 waited for it, it is passed; where V4 waited, it goes on. It stays the courier's
    capture; the dispatcher's decision is a fact of its own beside it.

    Raises: NotFound for a proof that waits for nobody.
    """
    pod = await db.row(WAITING_POD, pod_id)
    if pod is None:
        raise NotFound
    await scope(actor).require_fulfilment(pod["fulfilment_id"])
    fulfilment = await journey.lock(pod["fulfilment_id"])
    # Read again under the lock: a better proof may have come, or the check of this one.
    pod = await db.row(WAITING_POD, pod_id)
    if pod is None:
        raise NotFound
    if pod["doubted"]:
        await tms.lift_hold(pod_id, reason)
    what = "pod_accepted" if pod["incomplete"] else "pod_check_accepted"
    await journey.state_fact(
        "pod_accepted",
        pod["fulfilment_id"],
        actor=actor,
        data={"pod_id": str(pod_id)},
        event_id=journey.derived_id(pod["fulfilment_id"], f"{what}:{pod_id}"),
    )
    if pod["incomplete"]:
        answer = await _advance_with(pod_id, pod, actor)
        await tms.settle_pod(pod_id, answer.verdict.value, reason)
    else:
        answer = _answer(pod["verdict"], pod["verdict_reason"], pod_id, fulfilment)
    await proof_checks.close_questions(pod_id, reason, actor)
    await earnings.settle(pod["fulfilment_id"])
    return answer


async def _advance_with(pod_id: UUID, pod: dict[str, Any], actor: Actor) -> journey.Answer:
    return await journey.advance(
        pod_id,
        pod["fulfilment_id"],
        1013,
        actor=Actor(
            role=pod["role"],
            source="phone",
            person_id=pod["person_id"],
            name=pod["name"],
            device_id=pod["device_id"],
            request_id=actor.request_id,
        ),
        evidence=[Evidence("pod", str(pod_id))],
        captured_at=pod["captured_at"],
    )
