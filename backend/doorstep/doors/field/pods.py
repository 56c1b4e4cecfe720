"""At the door: is the code right, and the proof of delivery."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Response, post
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems
from doorstep.doors.verdicts import KEPT, VerdictOut, told
from doorstep.flows import deliver
from doorstep.journey.refusals import StageAlreadyDone, StageTooEarly
from doorstep.modules.tms.refusals import (
    CodeTriesExhausted,
    CodeUnavailable,
    ProofMissing,
    StopMissing,
)
from doorstep.modules.tms.schemas import ProofOfDelivery

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


handlers = [check_code, add_pod]
"""The routes of this door."""
