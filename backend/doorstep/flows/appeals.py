"""A proof that was not accepted is appealed by whoever took it; its desk decides (A9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db, previews
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.flows import proof_checks
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.helpdesk.refusals import AppealTooLate
from doorstep.modules.helpdesk.schemas import Appeal
from doorstep.modules.helpdesk.service import Place
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import PodMissing

REOPENS_FOR = timedelta(days=7)
"""How long a decision may be asked about, as a resolved ticket is (modules/helpdesk)."""

QUESTIONS = ("pod_failed", "pod_doubtful", "pod_incomplete", "handover_code_wrong")
"""What a desk is asked about a proof; the first of those that are open is appealed."""

CODE_RIGHT = "The code that was told later is right."
CODE_WRONG = "The code that was told later is not right either."

# Whether a proof counts is one question, asked here, by the pull and by nobody else.
IN_QUESTION = """
d.verdict <> 'rejected' AND (
  d.verdict = 'review' AND cardinality(d.missing) > 0
  OR d.hold_lifted_at IS NULL AND (
    d.hold_reason IS NOT NULL OR coalesce(d.check_verdict IN ('look', 'failed'), false)))
"""

OWN_POD = f"""
SELECT d.id, d.order_id, d.fulfilment_id, d.stop_id, d.attempt, d.check_verdict, d.check_hold, d.hold_reason,
       {IN_QUESTION} AS in_question
  FROM pod d WHERE d.id = $1 AND d.person_id = $2
"""  # noqa: S608 - a constant

ASKED = """
SELECT id, kind, closed_at FROM problem WHERE kind = ANY ($1::text[]) AND ref = $2
 ORDER BY closed_at DESC NULLS FIRST, array_position($1::text[], kind), id DESC LIMIT 1
 FOR NO KEY UPDATE
"""


@db.transactional
async def appeal(pod_id: UUID, said: Appeal, *, actor: Actor) -> str:
    """Put a courier's word and pictures to the question about his proof, and ask anew if it was over.

    The proof itself stays as it was captured; where it was not accepted for its code, the right one
    makes it good without a desk. Returns what became of it, in words. The same event id again
    changes nothing, and is no further guess.

    Raises: PodMissing (also for another person's); AppealTooLate; EventIdReused.
    """
    pod = await _own(pod_id, actor)
    # Whoever decides holds this lock too.
    await journey.lock(pod["fulfilment_id"])
    pod = await _own(pod_id, actor)
    place = Place(
        job_kind="stop",
        job_id=pod["stop_id"],
        order_id=pod["order_id"],
        fulfilment_id=pod["fulfilment_id"],
        pod_id=pod_id,
    )
    if await helpdesk.is_kept("appeal", said, place, "", actor=actor):
        return ""
    counted = not pod["in_question"]
    code_ok = await _compare(pod, said.handover_code)
    if code_ok:
        await _make_good(pod, said.event_id)
        pod = await _own(pod_id, actor)
    problem_id = await _asked(pod, actor) if pod["in_question"] else None
    await previews.name(said.photos, actor=actor)
    if problem_id is not None:
        await helpdesk.add_to_problem(problem_id, _told(said, code_ok, actor))
    await helpdesk.keep_word("appeal", said, place, actor=actor, problem_id=problem_id)
    if counted:
        return "The proof counts already."
    if code_ok is None:
        return ""
    return CODE_RIGHT if code_ok else CODE_WRONG


async def _compare(pod: Mapping[str, Any], code: str | None) -> bool | None:
    """Tell whether this is the code that a proof waits for; None where it waits for none."""
    if code is None or not pod["in_question"] or pod["hold_reason"] is None:
        return None
    return (await tms.check_code(pod["fulfilment_id"], pod["attempt"], code)).ok


async def _make_good(pod: Mapping[str, Any], event_id: UUID) -> None:
    """Let a proof be judged as if its code had been right: V4 waits for it no more."""
    system = Actor.system("appeals.make_good")
    await tms.settle_code(pod["id"])
    await helpdesk.close_problems("handover_code_wrong", str(pod["id"]), CODE_RIGHT, system)
    await proof_checks.judge(pod["fulfilment_id"], actor=system)
    await proof_checks.let_go(pod["fulfilment_id"], actor=system)
    await journey.state_fact(
        "pod_code_told",
        pod["fulfilment_id"],
        actor=system,
        data={"pod_id": str(pod["id"]), "by": str(event_id)},
        event_id=journey.derived_id(pod["fulfilment_id"], f"pod_code_told:{pod['id']}"),
    )


def _told(said: Appeal, code_ok: bool | None, actor: Actor) -> str:
    pictures = f" ({len(said.photos)} picture(s))" if said.photos else ""
    code = "" if code_ok is None else f" {CODE_RIGHT if code_ok else CODE_WRONG}"
    return f"{actor.name} appeals: {said.words}{pictures}{code}"


async def _own(pod_id: UUID, actor: Actor) -> dict[str, Any]:
    found = await db.row(OWN_POD, pod_id, actor.person_id)
    if found is None:
        raise PodMissing
    return found


async def _asked(pod: Mapping[str, Any], actor: Actor) -> UUID:
    """Find the open question about a proof; open it again where it was closed without a yes."""
    last = await db.row(ASKED, list(QUESTIONS), str(pod["id"]))
    if last is not None and last["closed_at"] is None:
        open_id: UUID = last["id"]
        return open_id
    if last is not None and last["closed_at"] < now() - REOPENS_FOR:
        raise AppealTooLate
    return await helpdesk.open_problem(
        last["kind"] if last is not None else _kind(pod),
        "A proof of delivery that was not accepted is appealed",
        ref=str(pod["id"]),
        order_id=pod["order_id"],
        fulfilment_id=pod["fulfilment_id"],
    )


def _kind(pod: Mapping[str, Any]) -> str:
    """Name what a desk would be asked about a proof of which it was asked nothing yet."""
    if pod["check_hold"] is not None:
        return "pod_failed"
    if pod["hold_reason"] is not None:
        return "handover_code_wrong"
    return "pod_doubtful" if pod["check_verdict"] == "look" else "pod_incomplete"
