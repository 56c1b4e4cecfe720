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
from doorstep.doors.verdicts import KEPT, VerdictOut, told
from doorstep.flows import deliver, failed_delivery
from doorstep.journey.refusals import (
    DetourKnown,
    DetourNotPossible,
    StageAlreadyDone,
    StageTooEarly,
)
from doorstep.modules.tms.refusals import (
    CodeTriesExhausted,
    CodeUnavailable,
    ProofMissing,
    StopMissing,
)
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


_OWN_PODS = """
SELECT d.id AS pod_id, d.stop_id, coalesce(d.check_verdict, 'waiting') AS verdict,
       d.check_reasons AS reasons, d.checked_at, d.hold_lifted_at IS NOT NULL AS settled,
       ARRAY (SELECT p.slot FROM pod_photo p
               WHERE p.pod_id = d.id AND p.verified_at IS NULL ORDER BY p.slot) AS waits_for
  FROM pod d WHERE d.person_id = $1"""
OWN_POD = _OWN_PODS + " AND d.id = $2"
RECENT_PODS = _OWN_PODS + " AND d.recorded_at > $2 ORDER BY d.recorded_at, d.id"

RECENT = timedelta(days=1)
"""How long a phone holds what the check of a proof has found."""


class PodCheckOut(Struct):
    """What the check of a proof found: `look` asks a person, `failed` keeps the vendor's money.

    `waiting` until every picture that counts is here; `waits_for` names the slots of those that are
    not. `settled`: a dispatcher or a later proof has answered it, so no better photo is needed.
    """

    pod_id: UUID
    stop_id: UUID
    verdict: Literal["waiting", "passed", "look", "failed"]
    reasons: list[str]
    waits_for: list[str]
    settled: bool
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
    """Tell it of every proof that the person has captured within a day."""
    found = await db.rows(RECENT_PODS, actor.person_id, now() - RECENT)
    return msgspec.convert(found, list[PodCheckOut])


handlers = [check_code, add_pod, read_pod, add_failed_attempt]
"""The routes of this door."""
