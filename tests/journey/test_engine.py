"""The engine on a real database, with no reactions or with small ones of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest

from doorstep import journey
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows.place_order import place_order
from doorstep.journey import Evidence, Verdict, chain
from doorstep.journey.refusals import StageAlreadyDone, StageTooEarly
from doorstep.journey.stages import BY_CODE, STAGES
from tests.factories.world import SHOP, an_order, make_world

HAPPY = [s.code for s in STAGES if s.code != 1001]


@pytest.fixture(autouse=True)
def no_reactions() -> Iterator[None]:
    journey.bind({})
    yield
    journey.bind({})


@pytest.fixture
async def fulfilment(db) -> UUID:
    await make_world()
    await place_order(an_order(), actor=SHOP, may_be_short=False)
    found: UUID = await db.value("SELECT id FROM fulfilment")
    return found


def actor(code: int, source: str = "phone") -> Actor:
    return Actor(role=min(BY_CODE[code].roles), source=source, person_id=UUID(int=code))  # type: ignore[arg-type]


def proof(code: int) -> list[Evidence]:
    return [Evidence(min(BY_CODE[code].evidence), "ref", "00" * 32)]


async def take(
    fulfilment: UUID,
    code: int,
    *,
    event_id: UUID | None = None,
    source: str = "phone",
    who: Actor | None = None,
) -> journey.Answer:
    return await journey.advance(
        event_id or uuid7(),
        fulfilment,
        code,
        actor=who or actor(code, source),
        evidence=proof(code),
    )


async def test_all_stages_in_turn_reach_a_hundred_percent(db, fulfilment) -> None:
    for code in HAPPY:
        answer = await take(fulfilment, code)
        assert answer.verdict is Verdict.APPLIED, (code, answer.reason)
    row = await db.one("SELECT * FROM fulfilment")
    assert (row["stage"], row["progress"], row["head_seq"]) == (1018, 100, 18)
    assert sorted(row["passed"]) == [s.code for s in STAGES]
    for query in (chain.BROKEN_EVENTS, chain.BROKEN_HEADS, chain.WRONG_FOLDS):
        assert await db.rows(query) == []


async def test_without_reactions_bound_the_engine_refuses_to_run(db, fulfilment) -> None:
    journey.bind(None)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="bind"):
        await take(fulfilment, 1002)
    assert await db.value("SELECT count(*) FROM journey_event") == 1


@pytest.mark.parametrize("code", HAPPY)
async def test_every_stage_twice_is_once(db, fulfilment, code) -> None:
    for before in HAPPY[: HAPPY.index(code)]:
        await take(fulfilment, before)
    event_id = uuid7()
    first = await take(fulfilment, code, event_id=event_id)
    head = await db.value("SELECT head_seq FROM fulfilment")
    again = await take(fulfilment, code, event_id=event_id)
    assert (again.verdict, again.reason) == (first.verdict, first.reason)
    assert await db.value("SELECT head_seq FROM fulfilment") == head
    another = await take(fulfilment, code)
    assert another.verdict is Verdict.DUPLICATE
    with pytest.raises(StageAlreadyDone):
        await take(fulfilment, code, source="person")
    passings = await db.value(
        "SELECT count(*) FROM journey_event WHERE kind = 'stage' AND stage = $1", code
    )
    assert passings == 1


@pytest.mark.parametrize("source", ["phone", "carrier", "webhook", "scan", "system"])
@pytest.mark.parametrize("code", HAPPY[1:])
async def test_every_stage_too_early_is_held_and_released_in_its_turn(
    db, fulfilment, code, source
) -> None:
    event_id = uuid7()
    early = await take(fulfilment, code, event_id=event_id, source=source)
    assert early.verdict is Verdict.HELD
    assert (await take(fulfilment, code, event_id=event_id, source=source)).verdict is Verdict.HELD
    for before in HAPPY[: HAPPY.index(code)]:
        await take(fulfilment, before)
    row = await db.one("SELECT * FROM held_step WHERE event_id = $1", event_id)
    assert row["verdict"] == "applied"
    assert code in await db.value("SELECT passed FROM fulfilment")
    assert await db.rows(chain.BROKEN_EVENTS) == []


@pytest.mark.parametrize("code", HAPPY[1:])
async def test_a_person_too_early_is_refused_and_nothing_is_kept(db, fulfilment, code) -> None:
    with pytest.raises(StageTooEarly):
        await take(fulfilment, code, source="person")
    assert await db.value("SELECT count(*) FROM held_step") == 0
    assert await db.value("SELECT count(*) FROM journey_event") == 1


async def test_a_carriers_delivery_implies_the_scans_nobody_saw(db, fulfilment) -> None:
    for code in range(1002, 1009):
        await take(fulfilment, code)
    carrier = Actor.system("carrier:clickpost", source="carrier")
    answer = await journey.advance(
        uuid7(), fulfilment, 1013, actor=carrier, evidence=[Evidence("carrier_event", "x")]
    )
    assert (answer.verdict, answer.progress) == (Verdict.APPLIED, 70)
    hows = await db.rows(
        "SELECT stage, how FROM journey_event WHERE stage BETWEEN 1009 AND 1013 ORDER BY stage"
    )
    assert [(r["stage"], r["how"]) for r in hows] == [
        (1009, "implied"), (1010, "implied"), (1011, "not_applicable"), (1012, "implied"), (1013, "done"),
    ]  # fmt: skip
    real = await take(fulfilment, 1009)
    assert real.verdict is Verdict.DUPLICATE


async def test_own_goods_skip_vendor_and_payout(db) -> None:
    await make_world()
    await place_order(an_order(("MIX-500", 1)), actor=SHOP, may_be_short=False)
    fulfilment = await db.value("SELECT id FROM fulfilment")
    await take(fulfilment, 1002)
    answer = await take(fulfilment, 1003)
    assert answer.progress == 20
    how = await db.value("SELECT how FROM journey_event WHERE stage = 1004")
    assert how == "not_applicable"
    for code in range(1005, 1014):
        await take(fulfilment, code)
    assert await db.value("SELECT progress FROM fulfilment") == 85
    await take(fulfilment, 1016)
    assert await db.value("SELECT progress FROM fulfilment") == 100


async def test_a_reaction_advances_behind_itself_in_the_same_transaction(db, fulfilment) -> None:
    async def next_stage(fact: journey.Fact) -> None:
        following = int(fact.name) + 1
        answer = await journey.advance(
            journey.derived_id(fact.fulfilment_id, str(following)),
            fact.fulfilment_id,
            following,
            actor=actor(following, "system"),
            evidence=proof(following),
        )
        assert answer.verdict is Verdict.QUEUED

    journey.bind({"1002": [next_stage], "1003": [next_stage]})
    await take(fulfilment, 1002)
    assert await db.value("SELECT passed FROM fulfilment") == [1001, 1002, 1003, 1004]


async def test_reactions_deeper_than_five_roll_everything_back(db, fulfilment) -> None:
    async def next_stage(fact: journey.Fact) -> None:
        following = int(fact.name) + 1
        await journey.advance(
            uuid7(),
            fact.fulfilment_id,
            following,
            actor=actor(following, "system"),
            evidence=proof(following),
        )

    journey.bind({str(code): [next_stage] for code in range(1002, 1012)})
    with pytest.raises(RuntimeError, match="deeper"):
        await take(fulfilment, 1002)
    assert await db.value("SELECT passed FROM fulfilment") == [1001]


async def test_a_failing_reaction_undoes_the_step(db, fulfilment) -> None:
    async def fail(_fact: journey.Fact) -> None:
        raise ZeroDivisionError

    journey.bind({"1002": [fail]})
    with pytest.raises(ZeroDivisionError):
        await take(fulfilment, 1002)
    assert await db.value("SELECT count(*) FROM journey_event") == 1


async def test_of_many_phones_at_once_one_passes_the_stage(db, fulfilment) -> None:
    who = [Actor(role="vendor", source="phone", person_id=uuid7()) for _ in range(8)]
    await take(fulfilment, 1002)
    await take(fulfilment, 1003)
    answers = await asyncio.gather(*(take(fulfilment, 1004, who=one) for one in who))
    verdicts = sorted(answer.verdict for answer in answers)
    assert verdicts == ["applied"] + ["review"] * 7
    assert await db.rows(chain.BROKEN_EVENTS) == []


async def test_the_same_fact_twice_is_recorded_once(db, fulfilment) -> None:
    seen: list[str] = []

    async def note(fact: journey.Fact) -> None:
        seen.append(fact.name)

    journey.bind({"bytes_verified": [note]})
    event_id = uuid7()
    for _ in range(2):
        await journey.state_fact(
            "bytes_verified", fulfilment, actor=Actor.system("test"), event_id=event_id
        )
    assert seen == ["bytes_verified"]


TAMPERED = [
    (["UPDATE journey_event SET reason = 'x' WHERE seq = 3"], "its columns were changed"),
    (["UPDATE journey_event SET body = body || 'x' WHERE seq = 3"], "its body was changed"),
    (["DELETE FROM journey_event WHERE seq = 3"], "an event before it is missing"),
    (
        [
            "UPDATE journey_event SET seq = 103 WHERE seq = 3",
            "UPDATE journey_event SET seq = 3 WHERE seq = 4",
            "UPDATE journey_event SET seq = 4 WHERE seq = 103",
        ],
        "does not follow",
    ),
]


@pytest.mark.parametrize(("statements", "words"), TAMPERED)
async def test_any_change_of_an_event_is_found_and_named(
    db, fulfilment, tamper, statements, words
) -> None:
    for code in range(1002, 1007):
        await take(fulfilment, code)
    await tamper(*statements)
    found = await db.rows(chain.BROKEN_EVENTS)
    assert any(words in row["detail"] for row in found), found


async def test_a_cut_tail_and_a_removed_fulfilment_are_named(db, fulfilment, tamper) -> None:
    for code in range(1002, 1005):
        await take(fulfilment, code)
    await chain.write_checkpoint()
    await tamper("DELETE FROM journey_event WHERE seq = 4")
    assert len(await db.rows(chain.BROKEN_HEADS)) == 1
    assert len(await db.rows(chain.LOST_HEADS)) == 1
    await tamper("DELETE FROM journey_event", "DELETE FROM fulfilment")
    lost = await db.rows(chain.LOST_HEADS)
    assert "is gone" in lost[0]["detail"]
    await tamper("UPDATE journey_checkpoint SET heads = '{}'")
    assert await chain.broken_checkpoints() == ["1: it was changed"]


async def test_history_cannot_be_changed_by_the_application(db, fulfilment) -> None:
    with pytest.raises(Exception, match="append-only"):
        await db.execute("UPDATE journey_event SET reason = 'x'")
    with pytest.raises(Exception, match="append-only"):
        await db.execute("DELETE FROM journey_event")
