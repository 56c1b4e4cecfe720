"""Tickets: opened once, waiting among the problems, resolved, opened again, closed (M8)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import tickets as flow
from doorstep.modules.helpdesk import jobs, service
from doorstep.modules.helpdesk.refusals import (
    ChannelNeeded,
    OwnerNotAvailable,
    PhotoMissing,
    ProblemClosed,
    TicketClosed,
    TicketMissing,
    TicketStillOpen,
)
from doorstep.modules.helpdesk.service import tickets
from tests.factories.care import place, reacting
from tests.factories.company import picture, upload
from tests.factories.desk import make_channel, make_desk, rule, the_problem

KETTLE = ("KET-17", 1)


@pytest.fixture(autouse=True)
def _bound() -> Any:
    with reacting({}):
        yield


async def support(*channels: UUID) -> Actor:
    person_id = await make_desk("support", *channels)
    return Actor(role="support", source="person", person_id=person_id, channel_ids=channels)


async def state_of(ticket_id: UUID) -> tuple[str, bool]:
    """Tell the ticket's state and whether a problem is open for it."""
    row = await tickets.lock(ticket_id)
    problem = await the_problem(row["problem_id"])
    return row["state"], problem["closed_at"] is None


async def test_a_ticket_waits_among_the_problems_until_it_is_resolved(db: Any) -> None:
    order = await place(KETTLE)
    desk = await support()
    ticket = await flow.open_ticket(
        "damage", "Dent in the door", "See the photo.", actor=desk, order_id=order.order_id,
        fulfilment_id=order.parcels[0],
    )  # fmt: skip
    assert ticket["number"].startswith("TK-")
    problem = await the_problem(ticket["problem_id"])
    assert problem["kind"] == "ticket_damage" and problem["ref"] == str(ticket["id"])
    assert problem["title"] == f"{ticket['number']}: Dent in the door"
    assert problem["detail"] == "See the photo."
    assert (problem["order_id"], problem["channel_id"], problem["country"]) == (
        order.order_id, order.world.channel_id, "AE",
    )  # fmt: skip
    assert abs(problem["due_at"] - now() - timedelta(hours=4)) < timedelta(seconds=20)
    with pytest.raises(TicketStillOpen):
        await service.close_problem(problem["id"], actor=desk)
    await tickets.resolve(ticket["id"], uuid7(), "A new door was sent.", actor=desk)
    assert await state_of(ticket["id"]) == ("resolved", False)
    closed = await the_problem(problem["id"])
    assert (closed["closed_by"], closed["closing_words"]) == (
        desk.person_id,
        "A new door was sent.",
    )


async def test_a_flow_opens_a_ticket_once_however_often_it_runs(db: Any) -> None:
    order = await place(KETTLE)
    event_id, photo = uuid7(), picture()
    await upload(photo)

    async def ask() -> dict[str, Any]:
        return await flow.open_ticket(
            "return", "Wants to send it back", actor=Actor.system("flows.returns"),
            event_id=event_id, order_id=order.order_id, photos=[photo],
        )  # fmt: skip

    first, *others = await asyncio.gather(*(ask() for _ in range(4)))
    assert {one["number"] for one in others} == {first["number"]}
    for table, count in (("ticket", 1), ("problem", 1), ("ticket_photo", 1)):
        assert await db.value(f"SELECT count(*) FROM {table}") == count, table
    with pytest.raises(EventIdReused):
        await flow.open_ticket(
            "refund", "Another thing", actor=Actor.system("flows.returns"), event_id=event_id,
            order_id=order.order_id,
        )  # fmt: skip
    assert await db.value("SELECT count(*) FROM problem") == 1


async def test_a_ticket_stands_in_a_channel_that_its_writer_sees(db: Any) -> None:
    order = await place(KETTLE)
    foreign_channel = await make_channel("QA", "Asia/Qatar")
    everywhere, abroad = await support(), await support(foreign_channel)
    for wrong in (
        {"order_id": order.order_id},
        {"channel_id": order.world.channel_id},
        {"channel_id": uuid7()},
    ):
        with pytest.raises(NotFound):
            await flow.open_ticket("other", "Not mine", actor=abroad, **wrong)
    with pytest.raises(ChannelNeeded):
        await flow.open_ticket("question", "Which channel?", actor=everywhere)
    other = await place(KETTLE, world=order.world)
    with pytest.raises(NotFound):
        await flow.open_ticket(
            "other", "A parcel of another order", actor=everywhere, order_id=order.order_id,
            fulfilment_id=other.parcels[0],
        )  # fmt: skip
    own = await flow.open_ticket("question", "Opening hours", actor=abroad)
    assert own["channel_id"] == foreign_channel
    assert (await the_problem(own["problem_id"]))["country"] == "QA"
    assert await db.value("SELECT count(*) FROM ticket") == 1


async def test_messages_move_the_ticket_and_the_customer_reads_what_staff_say(db: Any) -> None:
    order = await place(KETTLE)
    desk = await support()
    await service.save_rules([rule(1, 0)])
    ticket = await flow.open_ticket("complaint", "It is loud", actor=desk, order_id=order.order_id)
    said = uuid7()

    async def say(author: Any, words: str, event_id: UUID | None = None, **given: Any) -> None:
        await flow.add_message(
            ticket["id"], event_id or uuid7(), author, words, actor=desk, **given
        )

    await say("internal", "Known of this series.")
    assert await db.value("SELECT count(*) FROM message") == 0
    await say("staff", "Which {programme}?", said, waits=True)
    await say("staff", "Which {programme}?", said, waits=True)
    assert await state_of(ticket["id"]) == ("waiting", True)
    paused = await the_problem(ticket["problem_id"])
    assert paused["escalates_at"] is None, "it is the customer's turn"
    await say("staff", "We are still here.")
    assert await state_of(ticket["id"]) == ("waiting", True)
    await say("customer", "All of them.")
    assert await state_of(ticket["id"]) == ("open", True)
    running = await the_problem(ticket["problem_id"])
    assert running["escalates_at"] == running["due_at"]
    bodies = await db.rows("SELECT body, recipient, order_id FROM message ORDER BY attempt")
    assert [row["body"].split("\n")[0] for row in bodies] == [
        "Which {programme}?", "We are still here.",
    ]  # fmt: skip
    assert {row["recipient"] for row in bodies} == {"aisha@example.com"}
    history, _ = await tickets.history(ticket["id"])
    assert [one["author"] for one in history] == ["internal", "staff", "staff", "customer"]
    with pytest.raises(EventIdReused):
        await say("staff", "Other words", said)


async def test_new_rules_leave_a_ticket_alone_that_waits_for_the_customer(db: Any) -> None:
    order = await place(KETTLE)
    desk = await support()
    ticket = await flow.open_ticket("question", "When?", actor=desk, order_id=order.order_id)
    await flow.add_message(ticket["id"], uuid7(), "staff", "Which day?", actor=desk, waits=True)
    await service.save_rules([rule(1, 0)])
    await service.replan()
    assert (await the_problem(ticket["problem_id"]))["escalates_at"] is None


async def test_a_resolved_ticket_is_opened_again_with_a_problem_of_its_own(db: Any) -> None:
    order = await place(KETTLE)
    desk = await support()
    ticket = await flow.open_ticket("damage", "Dent", actor=desk, order_id=order.order_id)
    done, again = uuid7(), uuid7()
    await tickets.resolve(ticket["id"], done, "Sent a door.", actor=desk)
    await tickets.reopen(ticket["id"], again, "The door does not fit.", actor=desk)
    await tickets.reopen(ticket["id"], again, "The door does not fit.", actor=desk)
    assert await state_of(ticket["id"]) == ("open", True)
    # The lost answer of the first resolving, sent again, resolves nothing.
    await tickets.resolve(ticket["id"], done, "Sent a door.", actor=desk)
    assert await state_of(ticket["id"]) == ("open", True)
    assert await db.value("SELECT count(*) FROM problem") == 2
    assert await db.value("SELECT count(*) FROM ticket_message") == 2
    await tickets.resolve(ticket["id"], uuid7(), "Sent another.", actor=desk)
    await flow.add_message(ticket["id"], uuid7(), "customer", "Still no.", actor=desk)
    assert await state_of(ticket["id"]) == ("open", True)
    assert await db.value("SELECT count(*) FROM problem") == 3


async def test_after_a_week_a_resolved_ticket_is_closed_for_good(db: Any, clock: Any) -> None:
    order = await place(KETTLE)
    desk = await support()
    ticket = await flow.open_ticket("other", "Thing", actor=desk, order_id=order.order_id)
    await tickets.resolve(ticket["id"], uuid7(), "Done.", actor=desk)
    clock.advance(timedelta(days=6))
    await jobs.close_tickets({})
    assert (await state_of(ticket["id"]))[0] == "resolved"
    clock.advance(timedelta(days=2))
    await jobs.close_tickets({})
    assert await state_of(ticket["id"]) == ("closed", False)
    await tickets.resolve(ticket["id"], uuid7(), "Again.", actor=desk)
    for act in (
        tickets.reopen(ticket["id"], uuid7(), "No!", actor=desk),
        flow.add_message(ticket["id"], uuid7(), "customer", "No!", actor=desk),
        tickets.add_photos(ticket["id"], [], actor=desk),
    ):
        with pytest.raises(TicketClosed):
            await act
    with pytest.raises(TicketMissing):
        await tickets.resolve(uuid7(), uuid7(), "Nothing", actor=desk)


async def test_a_person_adds_only_pictures_of_his_own(db: Any) -> None:
    order = await place(KETTLE)
    desk, other = await support(), await support()
    ticket = await flow.open_ticket("damage", "Dent", actor=desk, order_id=order.order_id)
    mine, theirs = picture(), picture()
    await upload(mine, theirs)
    for owner, sha256 in ((desk, mine), (other, theirs)):
        await db.execute(
            "INSERT INTO upload (id, sha256, person_id, length, received, started_at, verified_at)"
            " VALUES ($1, $2, $3, 1, 1, now(), now())",
            uuid7(),
            sha256,
            owner.person_id,
        )
    with pytest.raises(PhotoMissing) as refused:
        await tickets.add_photos(ticket["id"], [mine, theirs], actor=desk)
    assert refused.value.facts["sha256"] == [theirs]
    assert (await tickets.history(ticket["id"]))[1] == []
    for _ in range(2):
        await tickets.add_photos(ticket["id"], [mine], actor=desk)
    assert (await tickets.history(ticket["id"]))[1] == [mine]


async def test_what_was_said_is_never_changed(db: Any) -> None:
    order = await place(KETTLE)
    desk = await support()
    ticket = await flow.open_ticket("other", "Thing", actor=desk, order_id=order.order_id)
    await flow.add_message(ticket["id"], uuid7(), "internal", "A note.", actor=desk)
    for statement in ("UPDATE ticket_message SET words = 'x'", "DELETE FROM ticket_message"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.execute(statement)


async def test_only_a_desk_of_the_channel_can_own_a_problem(db: Any) -> None:
    order = await place(KETTLE)
    abroad = await make_channel("QA", "Asia/Qatar")
    desk = await support()
    ticket = await flow.open_ticket("other", "Thing", actor=desk, order_id=order.order_id)
    problem_id = ticket["problem_id"]
    gone = await make_desk("support")
    await db.execute("UPDATE person SET active = false, deactivated_at = now() WHERE id = $1", gone)
    for wrong in (await make_desk("courier"), await make_desk("support", abroad), gone, uuid7()):
        with pytest.raises(OwnerNotAvailable):
            await service.assign_problem(problem_id, wrong)
    local = await make_desk("support", order.world.channel_id)
    await service.assign_problem(problem_id, local)
    assert (await the_problem(problem_id))["owner_id"] == local
    await service.assign_problem(problem_id, None)
    assert (await the_problem(problem_id))["owner_id"] is None
    await tickets.resolve(ticket["id"], uuid7(), "Done.", actor=desk)
    with pytest.raises(ProblemClosed):
        await service.assign_problem(problem_id, local)
    with pytest.raises(service.ProblemMissing):
        await service.assign_problem(uuid7(), local)


async def test_flows_close_what_has_resolved_itself(db: Any) -> None:
    order = await place(KETTLE)
    parcel, system = order.parcels[0], Actor.system("test")
    for kind in ("pickup_missed", "carrier_delayed", "carrier_lost"):
        await service.open_problem(kind, "x", ref="AWB-1", fulfilment_id=parcel)
    assert await db.value("SELECT count(*) FROM problem WHERE order_id = $1", order.order_id) == 3
    assert await service.close_problems("pickup_missed", "AWB-2", "", system) == 0
    assert await service.close_problems("pickup_missed", "AWB-1", "Picked up.", system) == 1
    kinds = ["pickup_missed", "carrier_delayed"]
    assert await service.close_problems_of(parcel, kinds, "Delivered.", system) == 1
    left = await db.rows("SELECT kind FROM problem WHERE closed_at IS NULL")
    assert [row["kind"] for row in left] == ["carrier_lost"]
