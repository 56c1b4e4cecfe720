"""What waits too long goes up a level: never early, once, within a minute, in business hours (A4)."""

from __future__ import annotations

import asyncio
import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from doorstep.core.actor import Actor
from doorstep.core.jobs import find
from doorstep.flows.escalations import tell_escalation
from doorstep.modules.helpdesk import jobs, service
from doorstep.modules.helpdesk.refusals import CalendarNotUsable, RuleNotUsable
from doorstep.modules.helpdesk.rules import DEFAULT_RULES
from doorstep.modules.helpdesk.service import CalendarData
from tests.factories.desk import (
    EMIRATES,
    GULF,
    make_calendar,
    make_channel,
    make_desk,
    rule,
    the_problem,
    utc,
)
from tests.support.worker import run_due

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


async def fired(db: Any) -> list[tuple[int, Any]]:
    rows = await db.rows("SELECT level, due_at FROM escalation ORDER BY level")
    return [(row["level"], row["due_at"]) for row in rows]


async def opened(channel_id: UUID | None = None, **given: Any) -> UUID:
    return await service.open_problem(
        "carrier_delayed", "Late", ref=str(random.random()), channel_id=channel_id, **given
    )


async def test_without_country_every_hour_counts_and_the_table_gives_owner_and_deadline(
    db: Any, clock: Any
) -> None:
    clock.set(utc("2026-11-28 20:00"))  # a Saturday evening
    problem = await the_problem(await opened())
    assert problem["owner_role"] == "dispatcher"
    assert abs(problem["due_at"] - utc("2026-11-29 04:00")) < SECOND
    assert problem["escalates_at"] == problem["due_at"], "by the default rules"
    own = await the_problem(await opened(owner_role="admin", due_at=utc("2026-12-24 08:00")))
    assert (own["owner_role"], own["due_at"]) == ("admin", utc("2026-12-24 08:00"))


async def test_the_deadline_and_the_escalation_keep_the_weekend_of_the_right_country(
    db: Any, clock: Any
) -> None:
    await make_calendar("AE", "Asia/Dubai", EMIRATES)
    await make_calendar("KW", "Asia/Kuwait", GULF)
    uae = await make_channel("AE", "Asia/Dubai")
    kuwait = await make_channel("KW", "Asia/Kuwait", "KWD")
    await service.save_rules([rule(1, 60, owner_role="admin")])
    clock.set(utc("2026-11-26 12:00"))  # Thursday, 16:00 in Dubai, 15:00 in Kuwait
    in_dubai, in_kuwait = await opened(uae), await opened(kuwait)
    dubai, gulf = await the_problem(in_dubai), await the_problem(in_kuwait)
    assert (dubai["country"], gulf["country"]) == ("AE", "KW")
    # Eight hours: two on Thursday and six on Friday; three on Thursday and five on Sunday.
    assert abs(dubai["due_at"] - utc("2026-11-27 11:00")) < SECOND
    assert abs(gulf["due_at"] - utc("2026-11-29 11:00")) < SECOND
    assert dubai["escalates_at"] == dubai["due_at"] + timedelta(hours=1)

    clock.set(dubai["escalates_at"] - SECOND)
    assert await service.escalate_due() == 0, "never early"
    clock.set(dubai["escalates_at"] + SECOND)
    assert await service.escalate_due() == 1
    assert (await the_problem(in_dubai))["level"] == 1
    assert (await the_problem(in_kuwait))["level"] == 0, "their weekend"
    clock.set(gulf["escalates_at"] + SECOND)
    assert await service.escalate_due() == 1


async def test_a_holiday_delays_only_where_it_is_held(db: Any, clock: Any) -> None:
    await make_calendar("AE", "Asia/Dubai", EMIRATES, date(2026, 12, 2), date(2026, 12, 3))
    await make_calendar("QA", "Asia/Qatar", EMIRATES)
    uae = await make_channel("AE", "Asia/Dubai")
    qatar = await make_channel("QA", "Asia/Qatar", "QAR")
    await service.save_rules([rule(1, 120, counted_from="opened", owner_role="admin")])
    clock.set(utc("2026-12-01 13:30"))  # Tuesday, 17:30 in Dubai, 16:30 in Qatar
    here, there = await the_problem(await opened(uae)), await the_problem(await opened(qatar))
    assert abs(here["escalates_at"] - utc("2026-12-04 06:30")) < SECOND
    assert abs(there["escalates_at"] - utc("2026-12-02 06:30")) < SECOND


async def test_each_level_fires_once_and_moves_the_owner(db: Any, clock: Any) -> None:
    chief = await make_desk("admin")
    dispatcher = await make_desk("dispatcher")
    await service.save_rules(
        [rule(1, 0), rule(2, 60, owner_role="admin", tells=["support"]), rule(3, 120)]
    )
    problem_id = await opened()
    await service.assign_problem(problem_id, dispatcher)
    due = (await the_problem(problem_id))["due_at"]

    clock.set(due + SECOND)
    assert [await service.escalate_due() for _ in range(3)] == [1, 0, 0]
    first = await the_problem(problem_id)
    assert (first["level"], first["owner_role"], first["owner_id"]) == (1, "dispatcher", dispatcher)

    clock.set(due + timedelta(hours=1, seconds=1))
    assert [await service.escalate_due() for _ in range(3)] == [1, 0, 0]
    second = await the_problem(problem_id)
    assert (second["level"], second["owner_role"], second["owner_id"]) == (2, "admin", None)

    await service.assign_problem(problem_id, chief)
    clock.set(due + timedelta(hours=2, seconds=1))
    assert [await service.escalate_due() for _ in range(3)] == [1, 0, 0]
    third = await the_problem(problem_id)
    assert (third["level"], third["owner_id"], third["escalates_at"]) == (3, chief, None)
    assert await fired(db) == [
        (1, due),
        (2, due + timedelta(hours=1)),
        (3, due + timedelta(hours=2)),
    ]


async def test_levels_that_a_sleeping_worker_missed_fire_one_after_the_other(
    db: Any, clock: Any
) -> None:
    await service.save_rules([rule(1, 0), rule(2, 60), rule(3, 120)])
    problem_id = await opened()
    clock.advance(timedelta(days=3))
    assert await service.escalate_due() == 3
    assert (await the_problem(problem_id))["level"] == 3


async def test_workers_at_once_fire_each_escalation_once(db: Any, clock: Any) -> None:
    await service.save_rules([rule(1, 0), rule(2, 10, owner_role="admin")])
    for _ in range(30):
        await opened()
    clock.advance(timedelta(days=3))
    counts = await asyncio.gather(*(service.escalate_due() for _ in range(4)))
    assert sum(counts) == 60
    assert await db.value("SELECT count(*) FROM escalation") == 60
    told = "SELECT count(*) FROM outbox WHERE kind = 'flows.tell_escalation'"
    assert await db.value(told) == 60


async def test_the_job_ticks_often_enough_for_sixty_seconds() -> None:
    known = find("helpdesk.escalate")
    assert known is not None and known.every is not None
    assert known.every + 5 + 5 <= 60 / 2, "a tick, its pause and its run, with one of them missed"


async def test_every_due_moment_is_met_by_the_next_tick_and_never_before(
    db: Any, clock: Any
) -> None:
    """Seed 11: 40 problems of three countries over a fortnight, ticks every 15 seconds."""
    chance = random.Random(11)
    await make_calendar("AE", "Asia/Dubai", EMIRATES, date(2026, 12, 2))
    await make_calendar("KW", "Asia/Kuwait", GULF)
    channels = [
        await make_channel("AE", "Asia/Dubai"), await make_channel("KW", "Asia/Kuwait"), None,
    ]  # fmt: skip
    await service.save_rules([rule(1, 45), rule(2, 300)])
    start = utc("2026-11-26 00:00")
    ids = []
    for _ in range(40):
        clock.set(start + timedelta(minutes=chance.randrange(60 * 24 * 9)))
        ids.append(await opened(chance.choice(channels)))
    while planned := await db.value("SELECT min(escalates_at) FROM problem"):
        before = await db.value("SELECT count(*) FROM escalation")
        tick = planned - timedelta(seconds=chance.uniform(1, 14))
        clock.set(tick)
        assert await service.escalate_due() == 0
        clock.set(tick + timedelta(seconds=15))
        assert await service.escalate_due() > 0
        assert await db.value("SELECT count(*) FROM escalation") > before
    late = await db.rows("SELECT fired_at - due_at AS late FROM escalation")
    assert len(late) == 2 * len(ids) == 80
    assert all(timedelta(0) <= row["late"] < timedelta(seconds=60) for row in late)


async def test_until_an_admin_saves_rules_the_default_ones_count(db: Any, clock: Any) -> None:
    assert len(await service.list_rules()) == len(DEFAULT_RULES)
    paid_twice = await service.open_problem("payout_paid_twice", "Twice", ref="1")
    problem_id = await opened()
    clock.advance(SECOND)
    assert await service.escalate_due() == 1
    assert (await the_problem(paid_twice))["level"] == 1, "at once"
    clock.advance(timedelta(hours=8 + 16, minutes=1))
    await service.escalate_due()
    problem = await the_problem(problem_id)
    assert (problem["level"], problem["owner_role"]) == (3, "admin")
    await service.save_rules([rule(3, 0)])
    assert [one["level"] for one in await service.list_rules()] == [3]
    await service.save_rules([])
    assert len(await service.list_rules()) == len(DEFAULT_RULES)


async def test_a_closed_problem_is_left_alone(db: Any, clock: Any) -> None:
    await service.save_rules([rule(1, 0)])
    await opened()
    await db.execute("UPDATE problem SET closed_at = now() + interval '1 hour'")
    clock.advance(timedelta(days=3))
    assert await service.escalate_due() == 0


async def test_the_most_specific_rule_counts(db: Any, clock: Any) -> None:
    uae = await make_channel("AE", "Asia/Dubai")
    await service.save_rules(
        [
            rule(1, 400),
            rule(1, 300, country="AE"),
            rule(1, 200, kind="carrier_delayed"),
            rule(1, 100, kind="carrier_delayed", country="AE"),
        ]
    )

    async def minutes(kind: str, channel_id: UUID | None) -> int:
        opened_id = await service.open_problem(kind, "x", ref="1", channel_id=channel_id)
        problem = await the_problem(opened_id)
        await service.close_problems(kind, "1", "", Actor.system("test"))
        waits: timedelta = problem["escalates_at"] - problem["due_at"]
        return round(waits / MINUTE)

    assert await minutes("carrier_delayed", uae) == 100
    assert await minutes("carrier_delayed", None) == 200
    assert await minutes("carrier_lost", uae) == 300
    assert await minutes("carrier_lost", None) == 400


async def test_new_rules_and_calendars_plan_what_is_open_anew(db: Any, clock: Any) -> None:
    uae = await make_channel("AE", "Asia/Dubai")
    clock.set(utc("2026-11-26 08:00"))  # Thursday noon in Dubai
    problem_id = await opened(uae)
    due = (await the_problem(problem_id))["due_at"]
    await service.save_rules([rule(1, 60)])
    assert [kind for kind, _ in await run_due()] == ["helpdesk.replan_escalations"]
    assert (await the_problem(problem_id))["escalates_at"] == due + timedelta(hours=1)
    await make_calendar("AE", "Asia/Dubai", EMIRATES)
    await run_due()
    replanned = await the_problem(problem_id)
    assert replanned["due_at"] == due, "what was promised stays"
    assert abs(replanned["escalates_at"] - utc("2026-11-27 06:00")) < SECOND


async def test_what_was_planned_by_old_rules_is_not_fired_early(db: Any, clock: Any) -> None:
    await service.save_rules([rule(1, 0)])
    problem_id = await opened()
    due = (await the_problem(problem_id))["due_at"]
    await service.save_rules([rule(1, 90)])  # and no worker has planned anew yet
    clock.set(due + MINUTE)
    assert await service.escalate_due() == 0
    assert (await the_problem(problem_id))["escalates_at"] == due + timedelta(minutes=90)


async def test_those_who_must_know_are_written_to_once(db: Any, clock: Any) -> None:
    uae = await make_channel("AE", "Asia/Dubai")
    chief = await make_desk("admin", login="chief@example.com")
    await make_desk("admin", uae, login="local@example.com")
    await make_desk("admin", await make_channel("QA", "Asia/Qatar"), login="abroad@example.com")
    await make_desk("dispatcher", uae, login="dispatcher@example.com")
    await make_desk("support", uae, login="not-told@example.com")
    await make_desk("admin", uae, login="no-address")
    owner = await make_desk("sales", login="owner@example.com")
    await service.save_rules([rule(1, 0, tells=["admin"])])
    problem_id = await opened(uae, detail="The {carrier} said tomorrow.")
    await service.assign_problem(problem_id, owner)
    assert chief != owner
    await db.execute("UPDATE person SET languages = '{ml,hi}' WHERE id = $1", owner)
    clock.advance(timedelta(days=3))
    await jobs.escalate({})
    (payload,) = [
        row["payload"]
        for row in await db.rows("SELECT payload FROM outbox WHERE kind = 'flows.tell_escalation'")
    ]
    await tell_escalation(payload)
    await tell_escalation(payload)
    rows = await db.rows("SELECT * FROM message ORDER BY recipient")
    assert [row["recipient"] for row in rows] == [
        "chief@example.com", "dispatcher@example.com", "local@example.com", "owner@example.com",
    ]  # fmt: skip
    assert {row["problem_id"] for row in rows} == {problem_id}
    assert "The {carrier} said tomorrow." in rows[0]["body"]
    assert "Ask the carrier for a new date" in rows[0]["body"]
    assert rows[0]["subject"] == "Level 1: Late"
    assert rows[3]["subject"] == "स्तर 1: Late", "the owner reads Hindi first of our languages"


async def test_the_database_itself_fires_a_level_once_and_never_early(db: Any) -> None:
    problem_id = await opened()
    insert = (
        "INSERT INTO escalation (id, problem_id, level, due_at, fired_at, from_role, owner_role, tells)"
        " VALUES (new_id(), $1, 1, now(), now() + $2::interval, 'admin', 'admin', '{}')"
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute(insert, problem_id, timedelta(seconds=-1))
    await db.execute(insert, problem_id, timedelta(0))
    with pytest.raises(asyncpg.UniqueViolationError):
        await db.execute(insert, problem_id, timedelta(0))


async def test_rules_and_calendars_that_cannot_be_used_change_nothing(db: Any) -> None:
    await service.save_rules([rule(1, 5)])
    for wrong in ([rule(1, 1), rule(1, 2)], [rule(1, 1, kind="nothing_such")]):
        with pytest.raises(RuleNotUsable):
            await service.save_rules(wrong)
    assert [one["after_minutes"] for one in await service.list_rules()] == [5]
    await make_calendar("AE", "Asia/Dubai", EMIRATES)
    hours: Any = {"1": [("09:00", "18:00")]}
    for bad in (
        CalendarData(zone="Asia/Atlantis", working_hours=hours),
        CalendarData(zone="Asia/Dubai", working_hours={}),
        CalendarData(zone="Asia/Dubai", working_hours={"1": [("18:00", "09:00")]}),
    ):
        with pytest.raises(CalendarNotUsable):
            await service.save_calendar("AE", bad)
    (kept,) = await service.list_calendars()
    assert kept["zone"] == "Asia/Dubai" and len(kept["working_hours"]) == 5
