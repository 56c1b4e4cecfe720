"""What waits too long goes to the next person, each level once (A4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
from msgspec import Meta, Struct

from doorstep.core import db, outbox
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.helpdesk import sql
from doorstep.modules.helpdesk.kinds import KINDS
from doorstep.modules.helpdesk.refusals import RuleNotUsable
from doorstep.modules.helpdesk.rules import (
    DEFAULT_RULES,
    EscalationRule,
    Step,
    Waiting,
    handed_on,
    next_step,
)
from doorstep.modules.helpdesk.service.calendars import Country, calendar_of

Desk = Literal["admin", "dispatcher", "finance", "sales", "support"]
Kind = Annotated[str, Meta(pattern="^[a-z0-9_]{1,40}$")]


class RuleData(Struct, kw_only=True, forbid_unknown_fields=True):
    """When a problem goes to whom; `kind` or `country` left out means any.

    `after_minutes` are business minutes of the country, from the opening or from the deadline.
    Without `owner_role` it stays in its queue, and so does whatever is finance's: nobody else may act
    on money. The people of the queue and of `tells` are told, and those of an `owner_role` that may
    not take it.
    """

    level: Annotated[int, Meta(ge=1, le=3)]
    after_minutes: Annotated[int, Meta(ge=0, le=100_000)]
    counted_from: Literal["opened", "due"]
    owner_role: Desk | None = None
    tells: Annotated[list[Desk], Meta(max_length=5)] = []
    kind: Kind | None = None
    country: Country | None = None


async def rules_for(kind: str, country: str | None) -> list[EscalationRule]:
    """Read the rules that may concern a problem: those that were saved, else the default ones."""
    found = await db.rows(sql.RULES, kind, country)
    if not found and not await db.value(sql.ANY_RULE):
        return list(DEFAULT_RULES)
    return [EscalationRule(**row) for row in found]


async def list_rules() -> list[dict[str, Any]]:
    """Read every rule that counts, those for all kinds and countries first."""
    return await db.rows(sql.ALL_RULES) or [rule._asdict() for rule in DEFAULT_RULES]


@db.transactional
async def save_rules(rules: Sequence[RuleData]) -> None:
    """Put these rules in the place of all that were there; what is to come is planned anew.

    Without any, the default ones count again.

    Raises: RuleNotUsable for a kind that does not exist, or two rules for one thing and level.
    """
    for rule in rules:
        if rule.kind is not None and rule.kind not in KINDS:
            raise RuleNotUsable(f"No problem is of the kind {rule.kind}.", kind=rule.kind)
    await db.execute(sql.LOCK_RULES)
    await db.execute(sql.DROP_RULES)
    try:
        await db.execute_many(
            sql.SAVE_RULE,
            [
                (
                    uuid7(), one.level, one.after_minutes, one.counted_from, one.owner_role,
                    one.tells, one.kind, one.country,
                )
                for one in rules
            ],
        )  # fmt: skip
    except asyncpg.UniqueViolationError as twice:
        raise RuleNotUsable("Two rules are for the same kind, country and level.") from twice
    await outbox.add("helpdesk.replan_escalations", {})


async def escalate_due() -> int:
    """Fire every escalation whose time has come; two workers at once fire each of them once.

    Returns how many fired.
    """
    moment, fired = now(), 0
    while (one := await _escalate_next(moment)) is not None:
        fired += one
    return fired


@db.transactional
async def _escalate_next(moment: datetime) -> int | None:
    problem = await db.row(sql.TAKE_DUE, moment)
    if problem is None:
        return None
    step = await _next_step(problem)
    if step is None or step.at > moment:
        # The rules or the calendar have changed since it was planned.
        await db.execute(sql.PLAN, problem["id"], step and step.at)
        return 0
    return await _fire(problem, step)


async def _fire(problem: dict[str, Any], step: Step) -> int:
    rule = step.rule
    owner_role, tells = handed_on(rule, problem["owner_role"])
    fired: UUID | None = await db.value(
        sql.FIRE,
        uuid7(),
        problem["id"],
        rule.level,
        step.at,
        now(),
        problem["owner_role"],
        problem["owner_id"],
        owner_role,
        tells,
    )
    following = await _next_step(problem | {"level": rule.level})
    await db.execute(sql.RAISE, problem["id"], rule.level, owner_role, following and following.at)
    if fired is None:
        return 0
    await outbox.add(
        "flows.tell_escalation",
        {"escalation_id": str(fired)},
        order_id=problem["order_id"],
        key=f"escalation:{fired}",
    )
    return 1


async def _next_step(problem: dict[str, Any]) -> Step | None:
    waiting = Waiting(**{name: problem[name] for name in Waiting._fields})
    rules = await rules_for(waiting.kind, waiting.country)
    return next_step(waiting, rules, await calendar_of(waiting.country))


async def plan(problem: dict[str, Any]) -> None:
    """Set when the next escalation of a problem is due; the caller holds its row."""
    step = await _next_step(problem)
    await db.execute(sql.PLAN, problem["id"], step and step.at)


async def pause(problem_id: UUID) -> None:
    """Let no escalation fire while somebody outside has to answer."""
    await db.execute(sql.PLAN, problem_id, None)


async def replan() -> None:
    """Plan the escalations of all open problems anew, after rules or calendars have changed."""
    last = UUID(int=0)
    while (following := await _replan_after(last)) is not None:
        last = following


@db.transactional
async def _replan_after(last: UUID) -> UUID | None:
    found = await db.rows(sql.OPEN_AFTER, last)
    for problem in found:
        await plan(problem)
    return found[-1]["id"] if found else None
