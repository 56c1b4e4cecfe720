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
    title = "This is done by another role."


class EvidenceMissing(Invalid):
    title = "The proof that this stage needs is missing."


class FulfilmentMissing(NotFound):
    title = "There is no such fulfilment."


class UnknownStage(Invalid):
    title = "There is no such stage."


class UnknownReason(Invalid):
    title = "This detour is reported with one of its own reasons."


class DetourNotPossible(Refusal):
    """The fulfilment stands before or behind where this may happen."""

    title = "This cannot happen to the fulfilment where it stands."


class DetourKnown(Refusal):
    """It is open already; or, when it is to be settled, not open any more."""

    title = "This is known already."


class DateNotAhead(Invalid):
    """Nobody can promise a day that is over, and one beyond a year is a slip of the pen."""

    title = "The expected date must be after today and within a year."


class DateNotOffered(Refusal):
    """Another date holds now, its day is over, or nobody has said one: the page is out of date."""

    title = "This date is not offered any more. Please look at the page again."


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


_OF_DETOUR: dict[Cause, type[Refusal]] = {
    Cause.EARLY: DetourNotPossible,
    Cause.OVERTAKEN: DetourNotPossible,
    Cause.DONE: DetourKnown,
    Cause.ENDED: FulfilmentEnded,
    Cause.ROLE: RoleNotAllowed,
}


def of_detour(decision: Decision, kind: str) -> Refusal:
    """Turn a decision against a report into the refusal that its sender reads."""
    return _OF_DETOUR[decision.cause](decision.reason, kind=kind)
