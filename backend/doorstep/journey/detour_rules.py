"""Decisions about one detour of one fulfilment: pure, no database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from doorstep.core.actor import Actor
from doorstep.journey.detours import BY_KIND, Detour
from doorstep.journey.rules import (
    Cause,
    Decision,
    Standing,
    Verdict,
    implied,
    label,
    missing_before,
)
from doorstep.journey.stages import BY_CODE


def decide_opening(
    standing: Standing, detour: Detour, actor: Actor, *, overtaken: bool = False
) -> Decision:
    """Judge a detour that somebody reports.

    A report that comes after the stage that settles it is kept as overtaken: the goods are further
    than it knows. `overtaken` says the same by the carrier's own clock. What a carrier or the
    person on the road reports implies the scans that are missing before it (SPEC J readings).
    """
    words = detour.kind.replace("_", " ")
    if actor.role not in detour.opened_by:
        reason = f"The role {actor.role} does not report: {words}."
        return Decision(Verdict.REJECTED, reason, Cause.ROLE)
    if standing.ended:
        reason = "The fulfilment has ended; kept as evidence for a person to look at."
        return Decision(Verdict.REVIEW, reason, Cause.ENDED)
    # A carrier tells of each attempt and delay once, whatever we have heard between them; of our own
    # people two may tell of the same one.
    another = detour.recurs and actor.source == "carrier"
    if detour.kind in standing.open_detours and not another and not overtaken:
        return Decision(Verdict.DUPLICATE, f"Is known already: {words}.", Cause.DONE)
    if overtaken or (detour.until is not None and detour.until in standing.passed):
        return _overtaken(detour, actor, words)
    missing = [
        code
        for code in (*missing_before(BY_CODE[detour.first], standing.passed), detour.first)
        if code not in standing.passed
    ]
    if not missing:
        return Decision(Verdict.APPLIED, "")
    if actor.source != "person" and all(BY_CODE[code].implied_by_later for code in missing):
        return Decision(Verdict.APPLIED, "", passings=implied(standing, missing))
    reason = f"Cannot be before {label(detour.first)}: {words}."
    return Decision(Verdict.REVIEW, reason, Cause.EARLY)


def _overtaken(detour: Detour, actor: Actor, words: str) -> Decision:
    reason = f"The goods are further than this report: {words}."
    if actor.source == "phone":
        # Two people tell different stories of one stop: somebody must look.
        return Decision(Verdict.REVIEW, reason, Cause.OVERTAKEN)
    return Decision(Verdict.DUPLICATE, reason, Cause.OVERTAKEN)


def decide_settling(standing: Standing, detour: Detour, actor: Actor) -> Decision:
    """Judge somebody's word that a detour is over."""
    words = detour.kind.replace("_", " ")
    if actor.role not in detour.settled_by:
        reason = f"The role {actor.role} does not settle: {words}."
        return Decision(Verdict.REJECTED, reason, Cause.ROLE)
    if detour.kind not in standing.open_detours:
        return Decision(Verdict.DUPLICATE, f"Is not open: {words}.", Cause.DONE)
    return Decision(Verdict.APPLIED, "")


FURTHEST = timedelta(days=366)
"""How far ahead a date may lie that somebody says of a detour."""


def is_ahead(expected_on: date, today: date) -> bool:
    """Tell whether a date may be promised today: after today, and within a year."""
    return today < expected_on <= today + FURTHEST


def decide_dating(
    standing: Standing, detour: Detour, actor: Actor, *, accepts: bool = False
) -> Decision:
    """Judge somebody's word on by when a detour is over; `accepts`: his yes to the date it has."""
    words = detour.kind.replace("_", " ")
    if actor.role not in (detour.accepted_by if accepts else detour.dated_by):
        verb = "accept" if accepts else "set"
        reason = f"The role {actor.role} does not {verb} the date of: {words}."
        return Decision(Verdict.REJECTED, reason, Cause.ROLE)
    if detour.kind not in standing.open_detours:
        return Decision(Verdict.DUPLICATE, f"Is not open: {words}.", Cause.DONE)
    return Decision(Verdict.APPLIED, "")


def settled_by_passing(
    open_detours: Iterable[str], stages: Iterable[int], *, told_later: Iterable[str] = ()
) -> list[str]:
    """List the open detours that these stages, just passed, settle by themselves.

    What the carrier's own clock shows to have happened after the passing (`told_later`) was not
    over with it, unless it cannot be open behind this stage at all.
    """
    passed, later = set(stages), set(told_later)
    return sorted(
        kind
        for kind in open_detours
        if BY_KIND[kind].settled_at & passed
        and (kind not in later or BY_KIND[kind].until in passed)
    )
