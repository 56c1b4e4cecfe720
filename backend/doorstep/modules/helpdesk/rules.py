"""Pure decisions of helpdesk: which escalation comes next, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from doorstep.core.working_time import ROUND_THE_CLOCK, Calendar, NobodyWorks


class EscalationRule(NamedTuple):
    """Who gets a problem that has waited so long; `kind` or `country` None means any.

    Without `owner_role` it stays where it is, and its people are told again.
    """

    level: int
    after_minutes: int
    counted_from: Literal["opened", "due"]
    owner_role: str | None
    tells: tuple[str, ...]
    kind: str | None = None
    country: str | None = None


DEFAULT_RULES = (
    EscalationRule(1, 0, "due", None, ()),
    EscalationRule(2, 240, "due", None, ("admin",)),
    EscalationRule(3, 960, "due", "admin", ()),
    EscalationRule(1, 0, "opened", None, ("admin",), kind="unrouted"),
    EscalationRule(1, 0, "opened", None, ("admin",), kind="payout_paid_twice"),
)
"""What counts until an admin has saved rules of his own: no installation begins without any."""


class Waiting(NamedTuple):
    """What escalation decides by."""

    kind: str
    country: str | None
    level: int
    opened_at: datetime
    due_at: datetime


class Step(NamedTuple):
    """The escalation that comes next."""

    rule: EscalationRule
    at: datetime


def handed_on(rule: EscalationRule, owner_role: str) -> tuple[str, list[str]]:
    """Tell whose a problem is after a rule has fired, and who is told of it beside them.

    Money stays with finance, since nobody else may act on it; who would have taken it is told.
    """
    tells = list(rule.tells)
    if rule.owner_role is None:
        return owner_role, tells
    if owner_role != "finance":
        return rule.owner_role, tells
    return owner_role, tells if rule.owner_role in tells else [*tells, rule.owner_role]


def next_step(problem: Waiting, rules: Iterable[EscalationRule], calendar: Calendar) -> Step | None:
    """Find the lowest level above the problem's own, and when it is due; None when no rule is left.

    Of several rules of that level the most specific one counts: for this kind and country, for
    this kind, for this country, for all.
    """
    fitting = [
        rule
        for rule in rules
        if rule.level > problem.level
        and rule.kind in (None, problem.kind)
        and rule.country in (None, problem.country)
    ]
    if not fitting:
        return None
    rule = min(fitting, key=_order)
    start = problem.opened_at if rule.counted_from == "opened" else problem.due_at
    return Step(rule, deadline(calendar, start, timedelta(minutes=rule.after_minutes)))


def deadline(calendar: Calendar, start: datetime, span: timedelta) -> datetime:
    """Tell when a span of business time is over; round the clock where the calendar never gets there.

    A calendar with too few hours must neither lose a problem nor undo what it is about.
    """
    try:
        return calendar.after(start, span)
    except NobodyWorks:
        return ROUND_THE_CLOCK.after(start, span)


def _order(rule: EscalationRule) -> tuple[int, bool, bool]:
    return (rule.level, rule.kind is None, rule.country is None)


# --- Tickets --------------------------------------------------------------------------------------

Author = Literal["customer", "staff", "internal"]
TicketState = Literal["open", "waiting", "resolved", "closed"]


def state_after(state: TicketState, author: Author, *, waits: bool) -> TicketState:
    """Tell where a message leaves a ticket that is not closed.

    The customer's word always asks for an answer; ours may say that we wait for his.
    """
    if author == "customer":
        return "open"
    if waits and state in ("open", "waiting"):
        return "waiting"
    return state
