"""Decisions about one step of one fulfilment: pure, no database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from doorstep.core.actor import Actor
from doorstep.journey.detours import BY_KIND
from doorstep.journey.stages import BY_CODE, PROVES_TRANSPORT, STAGES, Flags, Stage

How = Literal["done", "implied", "not_applicable", "not_given"]


class Verdict(StrEnum):
    """What became of a step (DESIGN §2). Every verdict means that the capture is stored."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    HELD = "held"
    REVIEW = "review"
    REJECTED = "rejected"
    QUEUED = "queued"
    """Only seen by a reaction: its own `advance` runs after it, in the same transaction."""


class Cause(StrEnum):
    """Why a step did not apply; a person at the API gets the matching refusal."""

    NONE = "none"
    DONE = "done"
    EARLY = "early"
    ROLE = "role"
    EVIDENCE = "evidence"
    ENDED = "ended"
    NOT_APPLICABLE = "not_applicable"
    OVERTAKEN = "overtaken"


class Evidence(msgspec.Struct, frozen=True):
    """A proof by reference: the module that made it has checked its content."""

    kind: str
    ref: str
    sha256: str | None = None


class Passing(NamedTuple):
    """A stage that is now settled, and how."""

    stage: int
    how: How


class Standing(NamedTuple):
    """Where a fulfilment stands in its current attempt."""

    flags: Flags
    ended: bool
    open_detours: frozenset[str]
    passed: Mapping[int, UUID | None]
    """Stage → person who passed it."""
    unseen: frozenset[int]
    """Stages that were passed although nobody has seen them."""


class Step(NamedTuple):
    """A claim that a stage has happened."""

    stage: int
    actor: Actor
    evidence: Sequence[Evidence]
    how: How = "done"


class Decision(NamedTuple):
    """The verdict, its reason in words, and the stages it settles in order."""

    verdict: Verdict
    reason: str
    cause: Cause = Cause.NONE
    passings: tuple[Passing, ...] = ()


def label(code: int) -> str:
    """Name a stage for people: `1009 Courier Pickup`."""
    return f"{code} {BY_CODE[code].activity}"


def decide(standing: Standing, step: Step) -> Decision:
    """Judge a step against the table of stages; what is settled already is never judged again."""
    stage = BY_CODE[step.stage]
    refused = _not_permitted(stage, step)
    if refused:
        return refused
    if standing.ended:
        reason = "The fulfilment has ended; kept as evidence for a person to look at."
        return Decision(Verdict.REVIEW, reason, Cause.ENDED)
    if stage.code in standing.passed:
        return _passed_before(standing, stage, step)
    if not stage.applies_if(standing.flags):
        reason = f"{label(stage.code)} does not apply to this fulfilment."
        return Decision(Verdict.REVIEW, reason, Cause.NOT_APPLICABLE)
    blocking = _blocking(standing.open_detours, stage.code)
    if blocking:
        names = ", ".join(sorted(blocking)).replace("_", " ")
        return Decision(Verdict.HELD, f"Waits until this is settled: {names}.", Cause.EARLY)
    return _in_turn(standing, stage, step)


def _not_permitted(stage: Stage, step: Step) -> Decision | None:
    if step.actor.role not in stage.roles:
        reason = f"{label(stage.code)} is not done by the role {step.actor.role}."
        return Decision(Verdict.REJECTED, reason, Cause.ROLE)
    if not stage.evidence & {item.kind for item in step.evidence}:
        wanted = " or ".join(sorted(stage.evidence))
        reason = f"{label(stage.code)} needs a proof of the kind {wanted}."
        return Decision(Verdict.REJECTED, reason, Cause.EVIDENCE)
    return None


def _passed_before(standing: Standing, stage: Stage, step: Step) -> Decision:
    reason = f"{label(stage.code)} is already passed; kept as further evidence."
    same_person = standing.passed[stage.code] == step.actor.person_id
    first_sight = stage.code in standing.unseen
    if step.actor.source == "phone" and not same_person and not first_sight:
        reason = f"{label(stage.code)} was already recorded by somebody else; kept for review."
        return Decision(Verdict.REVIEW, reason, Cause.DONE)
    return Decision(Verdict.DUPLICATE, reason, Cause.DONE)


def _blocking(open_detours: Iterable[str], stage: int) -> list[str]:
    """List the open detours that hold a step back, all but those that the step itself settles."""
    return [
        kind
        for kind in open_detours
        if (blocks_from := BY_KIND[kind].blocks_from) is not None
        and blocks_from <= stage
        and stage not in BY_KIND[kind].settled_at
    ]


def _in_turn(standing: Standing, stage: Stage, step: Step) -> Decision:
    missing = missing_before(stage, standing.passed.keys())
    if missing and not _implies(missing, step):
        return Decision(Verdict.HELD, f"Waits for {label(missing[0])}.", Cause.EARLY)
    skipped = tuple(Passing(code, "implied") for code in missing)
    unseen = _unseen(standing, {stage.code, *missing})
    return Decision(
        Verdict.APPLIED, "", passings=(*skipped, *unseen, Passing(stage.code, step.how))
    )


def missing_before(stage: Stage, passed: Iterable[int]) -> list[int]:
    """List the unsettled stages that a stage rests on, in the order of the journey."""
    settled = set(passed)
    missing: set[int] = set()
    open_ends = list(stage.after)
    while open_ends:
        code = open_ends.pop()
        if code not in settled and code not in missing:
            missing.add(code)
            open_ends.extend(BY_CODE[code].after)
    return sorted(missing)


def _implies(missing: Sequence[int], step: Step) -> bool:
    """A carrier's later event, an accepted run or a POD stands for unseen transport scans."""
    return (
        step.actor.source != "person"
        and all(BY_CODE[code].implied_by_later for code in missing)
        and any(item.kind in PROVES_TRANSPORT for item in step.evidence)
    )


def implied(standing: Standing, missing: Sequence[int]) -> tuple[Passing, ...]:
    """Settle stages that a report of something later stands for, with those it shows as skipped."""
    skipped = tuple(Passing(code, "implied") for code in missing)
    return (*skipped, *_unseen(standing, set(missing)))


def is_unseen(code: int, how: How, flags: Flags) -> bool:
    """Tell whether a stage that was passed is yet to be seen: implied, or thought to be skipped."""
    stage = BY_CODE[code]
    skipped = how == "not_applicable" and stage.optional is not None and stage.applies_if(flags)
    return how == "implied" or skipped


def _unseen(standing: Standing, covered: Collection[int]) -> tuple[Passing, ...]:
    """Settle those optional stages that these ones show to have been skipped."""
    return tuple(
        Passing(other.code, "not_applicable")
        for other in STAGES
        if other.optional in covered and other.code not in standing.passed
    )


def next_not_applicable(flags: Flags, passed: Iterable[int]) -> int | None:
    """Find the first unsettled stage that does not apply and whose turn has come."""
    settled = set(passed)
    for stage in STAGES:
        if stage.code in settled or stage.applies_if(flags):
            continue
        if settled.issuperset(stage.after):
            return stage.code
    return None


def standing_at(passed: Iterable[int]) -> tuple[int, int]:
    """Tell (stage, percentage): the highest stage up to which every stage by code is settled."""
    settled = set(passed)
    reached = (0, 0)
    for stage in STAGES:
        if stage.code not in settled:
            break
        reached = (stage.code, stage.progress)
    return reached
