"""At the door: is the code right, and the proof of delivery."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.http.problems import problems
from doorstep.doors.field.words import WordOut
from doorstep.doors.verdicts import KEPT, VerdictOut, told
from doorstep.flows import appeals, deliver, failed_delivery, link_access
from doorstep.flows.link_access import NoHandoverCodeNow
from doorstep.journey.refusals import (
    DetourKnown,
    DetourNotPossible,
    StageAlreadyDone,
    StageTooEarly,
)
from doorstep.modules.helpdesk.refusals import AppealTooLate
from doorstep.modules.helpdesk.schemas import Appeal
from doorstep.modules.tms.refusals import (
    CodeTriesExhausted,
    CodeUnavailable,
    PodMissing,
    ProofMissing,
    StopMissing,
)
from doorstep.modules.tms.rules import proofs
from doorstep.modules.tms.schemas import FailedAttempt, ProofOfDelivery

TAGS = ["transport"]


class CodeIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the customer said."""

    code: Annotated[str, Meta(min_length=1, max_length=12)]


class CodeOut(Struct):
    """Whether it is right, and how many wrong guesses this attempt still has."""

    ok: bool
    tries_left: int


@post(
    "/field/stops/{stop_id:uuid}/code",
    operation_id="checkHandoverCode",
    opt=needs("tms:pod:write"),
    status_code=200,
    responses=problems(StopMissing, CodeUnavailable, CodeTriesExhausted),
    tags=TAGS,
)
async def check_code(stop_id: UUID, data: CodeIn, actor: Actor) -> CodeOut:
    """Tell whether the customer's code is right before letting go; five wrong ones lock it."""
    check = await deliver.check_code(stop_id, data.code, actor=actor)
    return CodeOut(check.ok, check.tries_left)


@post(
    "/field/stops/{stop_id:uuid}/code-again",
    operation_id="sendHandoverCodeFromDoor",
    opt=needs("tms:pod:write"),
    status_code=204,
    responses=problems(StopMissing, NoHandoverCodeNow),
    tags=TAGS,
)
async def send_code_again(stop_id: UUID, actor: Actor) -> None:
    """Have the code of this attempt sent to the customer's phone once more; tries begin anew.

    It is sent as often as the customer himself could have it sent, both together.
    """
    await link_access.send_code_from_door(stop_id, actor=actor)


@post(
    "/field/stops/{stop_id:uuid}/pod",
    operation_id="addProofOfDelivery",
    opt=needs("tms:pod:write"),
    status_code=200,
    responses=KEPT | problems(StopMissing, ProofMissing, StageTooEarly, StageAlreadyDone),
    tags=TAGS,
)
async def add_pod(stop_id: UUID, data: ProofOfDelivery, actor: Actor) -> Response[VerdictOut]:
    """Hand in the proof of a delivery (1013); pictures are named here and uploaded on their own.

    From a phone it is stored whatever it lacks: then 202 with the verdict `review`.
    """
    return told(await deliver.record_pod(stop_id, data, actor=actor))


@post(
    "/field/stops/{stop_id:uuid}/failed",
    operation_id="addFailedAttempt",
    opt=needs("tms:pod:write"),
    status_code=200,
    responses=KEPT | problems(StopMissing, EventIdReused, DetourNotPossible, DetourKnown),
    tags=TAGS,
)
async def add_failed_attempt(
    stop_id: UUID, data: FailedAttempt, actor: Actor
) -> Response[VerdictOut]:
    """Hand in why the goods were not handed over; the next attempt or the way back follows.

    With `wrong_model` or `broken_seal` the goods go back and the right ones are sent.
    """
    return told(await failed_delivery.record_failed_attempt(stop_id, data, actor=actor))


RECENT = timedelta(days=1)
"""How long a phone holds a proof that is good, and what was decided about one that was not."""

UNDECIDED = timedelta(days=30)
"""How long it holds one that was not accepted, while nobody has decided."""

# What was asked about each proof and what was said about it is looked up for those in question alone.
_OWN_PODS = f"""
WITH own AS (
  SELECT d.*, ({appeals.IN_QUESTION}) AS in_question FROM pod d WHERE d.person_id = $1 AND {{which}}),
known AS (
  SELECT d.*, o.number, a.phone, said.appealed, asked.open, asked.closed_at, asked.closing_words
    FROM own d JOIN customer_order o ON o.id = d.order_id JOIN address a ON a.id = o.address_id
    LEFT JOIN LATERAL (
      SELECT max(w.recorded_at) AS appealed FROM field_word w WHERE w.pod_id = d.id) said ON true
    LEFT JOIN LATERAL (
      SELECT q.closed_at IS NULL AS open, q.closed_at, q.closing_words FROM problem q
       WHERE (d.in_question OR said.appealed IS NOT NULL) AND q.ref = d.id::text
         AND q.kind = ANY (ARRAY{list(appeals.QUESTIONS)})
       ORDER BY q.closed_at DESC NULLS FIRST LIMIT 1) asked ON true),
told AS (
  SELECT d.*,
         CASE WHEN NOT d.in_question AND d.appealed IS NOT NULL THEN 'overturned'
              WHEN d.in_question AND NOT d.open THEN 'upheld'
              WHEN d.in_question AND d.appealed IS NOT NULL THEN 'appealed' END AS standing
    FROM known d)
SELECT d.id AS pod_id, d.stop_id, d.number, d.captured_at, coalesce(d.check_verdict, 'waiting') AS verdict,
       d.check_reasons AS reasons, d.missing, d.checked_at,
       CASE WHEN d.check_verdict IS NULL AND d.hold_reason IS NOT NULL
            THEN jsonb_build_array(jsonb_build_object('code', 'wrong_code', 'slot', NULL, 'metres', NULL))
            ELSE d.check_findings END AS findings,
       d.hold_lifted_at IS NOT NULL AS settled, NOT d.in_question AS counts, d.standing,
       CASE d.standing WHEN 'upheld' THEN d.closing_words
            WHEN 'overturned' THEN coalesce(d.hold_lifted_reason, d.verdict_reason) ELSE '' END AS decision,
       CASE WHEN d.in_question AND d.hold_reason IS NOT NULL THEN d.phone END AS phone,
       ARRAY (SELECT p.slot FROM pod_photo p
               WHERE p.pod_id = d.id AND p.verified_at IS NULL ORDER BY p.slot) AS waits_for
  FROM told d"""  # noqa: S608 - constants of ours
OWN_POD = _OWN_PODS.format(which="d.id = $2")
RECENT_PODS = (
    _OWN_PODS.format(which="d.recorded_at > $2")
    + """
 WHERE d.recorded_at > $3 OR d.in_question AND d.standing IS DISTINCT FROM 'upheld'
    OR d.standing IN ('upheld', 'overturned') AND coalesce(d.hold_lifted_at, d.closed_at) > $3
 ORDER BY d.recorded_at, d.id"""
)


class FoundOut(Struct):
    """A reason by its name, of a picture (`slot`) or a distance where it is about one."""

    code: proofs.FindingCode
    slot: str | None
    metres: int | None


class PodCheckOut(Struct):
    """What the check of a proof found: `look` asks a person, `failed` keeps the vendor's money.

    `waiting` until every picture that counts is here; `waits_for` names the slots of those that are
    not. `findings` are the `reasons` by name; `missing` is what of the recipe the proof lacks.
    `settled`: a dispatcher or a later proof has answered it, so no better photo is needed. `counts`
    is false while it is not accepted. `standing`: it was appealed; then a desk has decided, by the
    words of `decision`: it stays so (`upheld`) or the proof counts (`overturned`). `phone` is the
    customer's while his code is to be asked for.
    """

    pod_id: UUID
    stop_id: UUID
    number: str
    captured_at: datetime
    verdict: Literal["waiting", "passed", "look", "failed"]
    reasons: list[str]
    findings: list[FoundOut]
    missing: list[str]
    waits_for: list[str]
    settled: bool
    counts: bool
    standing: Literal["appealed", "upheld", "overturned"] | None
    decision: str
    phone: str | None
    checked_at: datetime | None


@get(
    "/field/pods/{pod_id:uuid}",
    operation_id="readProofOfDelivery",
    opt=needs("tms:pod:write"),
    responses=problems(NotFound),
    tags=TAGS,
)
async def read_pod(pod_id: UUID, actor: Actor) -> PodCheckOut:
    """Tell the courier who captured a proof what its check found, so that he takes a better photo."""
    found = await db.row(OWN_POD, actor.person_id, pod_id)
    if found is None:
        raise NotFound
    return msgspec.convert(found, PodCheckOut)


async def recent_pods(actor: Actor) -> list[PodCheckOut]:
    """Tell it of every proof of the last day, and of those not accepted until a desk has decided."""
    moment = now()
    found = await db.rows(RECENT_PODS, actor.person_id, moment - UNDECIDED, moment - RECENT)
    return msgspec.convert(found, list[PodCheckOut])


@post(
    "/field/pods/{pod_id:uuid}/appeals",
    operation_id="appealProofOfDelivery",
    opt=needs("tms:pod:write"),
    status_code=200,
    responses=problems(PodMissing, AppealTooLate, EventIdReused),
    tags=TAGS,
)
async def appeal_pod(pod_id: UUID, data: Appeal, actor: Actor) -> WordOut:
    """Say why a proof should count that was not accepted; whoever has the question is asked anew."""
    reason = await appeals.appeal(pod_id, data, actor=actor)
    return WordOut(data.event_id, "applied", reason)


handlers = [check_code, send_code_again, add_pod, read_pod, appeal_pod, add_failed_attempt]
"""The routes of this door."""
