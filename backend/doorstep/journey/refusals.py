"""What a person at the API is told when a step cannot be taken; nothing is kept of it."""

from __future__ import annotations

from doorstep.core.errors import Invalid, NotAllowed, NotFound, Refusal
from doorstep.journey.rules import Cause, Decision


class StageTooEarly(Refusal):
    title = "An earlier stage is not done yet."


class StageAlreadyDone(Refusal):
    title = "This stage is already done."


class FulfilmentEnded(Refusal):
    title = "This fulfilment has ended."


class StageNotApplicable(Refusal):
    title = "This stage does not apply to the fulfilment."


class RoleNotAllowed(NotAllowed):
    title = "This stage is done by another role."


class EvidenceMissing(Invalid):
    title = "The proof that this stage needs is missing."


class FulfilmentMissing(NotFound):
    title = "There is no such fulfilment."


class UnknownStage(Invalid):
    title = "There is no such stage."


_BY_CAUSE: dict[Cause, type[Refusal]] = {
    Cause.EARLY: StageTooEarly,
    Cause.DONE: StageAlreadyDone,
    Cause.ENDED: FulfilmentEnded,
    Cause.NOT_APPLICABLE: StageNotApplicable,
    Cause.ROLE: RoleNotAllowed,
    Cause.EVIDENCE: EvidenceMissing,
}


def for_person(decision: Decision, stage: int) -> Refusal:
    """Turn a decision against a step into the refusal that its sender reads."""
    return _BY_CAUSE[decision.cause](decision.reason, stage=stage)
