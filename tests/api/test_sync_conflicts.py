"""Two truths about one job: what the server makes of it, one row per conflict (field-app 4.6).

First recorded wins; nothing that was captured is thrown away; money never follows a capture that
did not count; and whoever has no work there any more hears it by the next pull.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db
from doorstep.core.captures.registry import TYPES, CaptureType
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.doors.field import pods
from doorstep.doors.field.captured import Captured
from tests.api.test_money_at_the_door import cod
from tests.factories.captures import capture
from tests.factories.company import Company, session_of
from tests.factories.crews import crewed
from tests.factories.floor import ok
from tests.factories.journeys import Order, Step, standing
from tests.factories.pulls import Pocket
from tests.factories.pulls import kinds as kinds_of
from tests.factories.road import FRESH
from tests.factories.steps import healthy, passings
from tests.factories.sync import Phone

KETTLE = ("KET-17", 1)


@dataclass
class Scene:
    """A conflict that has been played: who pushed what, and what stands afterwards."""

    order: Order
    receipts: list[dict[str, Any]] = field(default_factory=list)
    pockets: dict[str, Pocket] = field(default_factory=dict)

    async def push(self, phone: Phone, step: Step, **other: Any) -> None:
        """Hand in what was captured without a signal."""
        self.receipts += await phone.push(phone.of(step.path, step.body, **other))
        await phone.company.work()

    async def pocket(self, who: str) -> Pocket:
        """Let a phone pull before it goes out of reach."""
        pocket = Pocket(self.order.company, who)
        await pocket.pull()
        self.pockets[who] = pocket
        return pocket


Play = Callable[[Company], Awaitable[Scene]]


@dataclass(frozen=True)
class Conflict:
    """What is played, and what must be so afterwards.

    `stage` is passed exactly `passed` times; `kept` is a table with one row per capture, `rows` of
    them; `problems` are what people are asked to look at; `work` is what each phone holds after its
    next pull.
    """

    play: Play
    verdicts: tuple[str, ...]
    stage: int
    kept: str
    passed: int = 1
    rows: int = 2
    problems: frozenset[str] = frozenset()
    held: tuple[int, ...] = ()
    work: dict[str, tuple[str, ...]] = field(default_factory=dict)


async def second_phone(company: Company, who: str) -> str:
    """Give somebody another phone; tell the name of the user that has it."""
    name, same = f"{who}'s second phone", company.users[who]
    company.users[name] = replace(same, headers=await session_of(same.id, "phone"))
    return name


async def colleague(company: Company, role: str = "delivery") -> str:
    name = f"another {role}"
    company.users[name] = await company.join(role, channel_ids=[company.world.channel_id])
    return name


async def two_people_deliver_the_same(company: Company) -> Scene:
    """The one who was second at the door is the first with a signal."""
    other = await colleague(company)
    shift = await crewed(company, "VAN-1", company.users[other].id)
    scene = Scene(await standing(company, 1012, KETTLE, shift_id=shift))
    for who in ("delivery", other):
        await scene.pocket(who)
    late = await scene.order.pod(captured_at=now() - timedelta(hours=1))
    await scene.push(Phone(company, other), (await scene.order.pod()))
    await scene.push(Phone(company, "delivery"), late)
    return scene


async def reassigned_while_offline(company: Company) -> Scene:
    other = await colleague(company)
    scene = Scene(await standing(company, 1012, KETTLE))
    await scene.pocket("delivery")
    done = await scene.order.pod()
    stop = await db.value("SELECT id FROM delivery_stop WHERE state = 'open'")
    await ok(company, "dispatcher", f"/console/stops/{stop}/remove", {})
    again = {
        "person_id": company.users[other].id, "vehicle": "VAN-2", "planned_on": FRESH,
        "fulfilment_ids": [scene.order.parcel],
    }  # fmt: skip
    run = await ok(company, "dispatcher", "/console/runs", again, 201)
    await ok(company, other, f"/field/runs/{run['id']}/accept", capture())
    await company.work()
    assert [stop["number"] for stop in (await scene.pocket(other)).of("stop")] == [
        scene.order.number
    ]
    await scene.push(Phone(company, "delivery"), done)
    return scene


async def cancelled_while_offline(company: Company) -> Scene:
    scene = Scene(await standing(company, 1012, KETTLE))
    await scene.pocket("delivery")
    done = await scene.order.pod()
    cancel = {"event_id": uuid7(), "reason": "customer", "words": "Changed her mind."}
    await ok(company, "support", f"/console/orders/{scene.order.order_id}/cancel", cancel)
    await company.work()
    await scene.push(Phone(company, "delivery"), done)
    return scene


async def the_amount_was_edited(company: Company) -> Scene:
    """The customer paid by link while the courier without a signal took cash."""
    [order] = await cod(company, 1012, KETTLE)
    scene = Scene(order)
    pocket = await scene.pocket("delivery")
    [before] = pocket.of("stop")
    assert before["cash_due_minor"] == 100_00
    done = await order.pod(
        tenders=[{"method": "cash", "amount_minor": 100_00}], shown_minor=before["cash_due_minor"]
    )
    await order.pay()
    await pocket.pull()
    [after] = pocket.of("stop")
    assert after["cash_due_minor"] == 0, "the phone has both before its next tap"
    await scene.push(Phone(company, "delivery"), done)
    detail = await db.value("SELECT detail FROM problem WHERE kind = 'door_payment_differs'")
    assert detail == "Due 0.00 AED, taken 100.00 AED. The phone showed 100.00 AED."
    return scene


async def the_address_was_edited(company: Company) -> Scene:
    scene = Scene(await standing(company, 1012, KETTLE))
    pocket = await scene.pocket("delivery")
    done = await scene.order.pod()
    await db.execute("UPDATE address SET floor = '9'")
    await pocket.pull()
    [after] = pocket.of("stop")
    assert after["address"]["floor"] == "9"
    await scene.push(Phone(company, "delivery"), done)
    return scene


async def two_phones_fill_the_same_report(company: Company) -> Scene:
    scene = Scene(await standing(company, 1014))
    other = await second_phone(company, "technician")
    for who in ("technician", other):
        await scene.pocket(who)
    first, second = await scene.order.report(), await scene.order.report()
    second.body["units"][0]["answers"] = {"level": False}
    await scene.push(Phone(company, "technician"), first)
    await scene.push(Phone(company, other), second)
    answers = await db.rows(
        "SELECT u.answers FROM visit_report_unit u JOIN visit_report r ON r.id = u.report_id"
        " ORDER BY r.recorded_at"
    )
    assert [row["answers"] for row in answers] == [{"level": True}, {"level": False}]
    return scene


async def another_serial_at_the_door(company: Company) -> Scene:
    scene = Scene(await standing(company, 1012))
    await scene.pocket("delivery")
    await scene.push(Phone(company, "delivery"), await scene.order.pod(serials=["ELSE"]))
    return scene


async def another_serial_at_the_installation(company: Company) -> Scene:
    scene = Scene(await standing(company, 1014))
    await scene.pocket("technician")
    report = await scene.order.report()
    report.body["units"][0]["serial"] = "ELSE"
    await scene.push(Phone(company, "technician"), report)
    return scene


async def second_device_of_the_same_person(company: Company) -> Scene:
    scene = Scene(await standing(company, 1012, KETTLE))
    other = await second_phone(company, "delivery")
    pockets = [await scene.pocket(who) for who in ("delivery", other)]
    assert pockets[0].documents == pockets[1].documents
    first, second = await scene.order.pod(), await scene.order.pod()
    await scene.push(Phone(company, "delivery"), first)
    await scene.push(Phone(company, other), second)
    return scene


async def an_older_version_of_the_app(company: Company) -> Scene:
    """POD 2 calls the receiver so; in POD 1, which this phone still sends, it was `taken_by`."""

    def earlier(payload: dict[str, Any]) -> dict[str, Any]:
        return {"receiver" if name == "taken_by" else name: payload[name] for name in payload}

    permission = pods.add_pod.opt["permission"]
    read = Captured(pods.add_pod, schema=2, earlier=earlier).carry_out
    scene = Scene(await standing(company, 1012, KETTLE))
    await scene.pocket("delivery")
    old = await scene.order.pod()
    body = {"taken_by" if name == "receiver" else name: old.body[name] for name in old.body}
    with pytest.MonkeyPatch.context() as newer:
        newer.setitem(TYPES, "pod.record", CaptureType(permission, read))
        phone = Phone(company, "delivery", before={"pod.record": dict})
        await scene.push(phone, replace(old, body=body))
    return scene


GONE = ("day", "proof", "shift_checklist")
NOTHING = ("shift_checklist",)
VISITED = ("day", *NOTHING)
TWICE = ("day", "proof", "proof", "shift_checklist")

CONFLICTS = {
    "two people deliver the same": Conflict(
        two_people_deliver_the_same, ("applied", "review"), 1013, "pod",
        work={"delivery": ("day", "proof", "shift", "shift_checklist"),
              "another delivery": ("day", "proof", "shift", "shift_checklist")},
    ),
    "reassigned while offline": Conflict(
        reassigned_while_offline, ("applied",), 1013, "pod", rows=1,
        problems=frozenset({"delivered_by_another"}),
        work={"delivery": GONE, "another delivery": NOTHING},
    ),
    "cancelled while offline": Conflict(
        cancelled_while_offline, ("review",), 1013, "pod", passed=0, rows=1,
        work={"delivery": GONE},
    ),
    "the amount was edited": Conflict(
        the_amount_was_edited, ("applied",), 1013, "pod", rows=1,
        problems=frozenset({"door_payment_differs"}), work={"delivery": GONE},
    ),
    "the address was edited": Conflict(
        the_address_was_edited, ("applied",), 1013, "pod", rows=1, work={"delivery": GONE},
    ),
    "two phones fill the same report": Conflict(
        two_phones_fill_the_same_report, ("applied", "duplicate"), 1015, "visit_report",
        problems=frozenset({"installation_approval"}),
        work={"technician": VISITED, "technician's second phone": VISITED},
    ),
    "another serial at the door": Conflict(
        another_serial_at_the_door, ("applied",), 1013, "pod", rows=1, held=(4, 5, 6),
        problems=frozenset({"serial_differs"}), work={"delivery": GONE},
    ),
    "another serial at the installation": Conflict(
        another_serial_at_the_installation, ("applied",), 1015, "visit_report", rows=1,
        held=(5, 6), problems=frozenset({"installation_approval", "serial_differs"}),
        work={"technician": VISITED},
    ),
    "second device of the same person": Conflict(
        second_device_of_the_same_person, ("applied", "duplicate"), 1013, "pod",
        work={"delivery": TWICE, "delivery's second phone": TWICE},
    ),
    "an older version of the app": Conflict(
        an_older_version_of_the_app, ("applied",), 1013, "pod", rows=1, work={"delivery": GONE},
    ),
}  # fmt: skip


@pytest.mark.usefixtures("midday")
@pytest.mark.parametrize("name", CONFLICTS)
async def test_two_truths_about_one_job(company: Company, name: str) -> None:
    row = CONFLICTS[name]
    scene = await row.play(company)
    assert tuple(one["verdict"] for one in scene.receipts) == row.verdicts
    assert all(one["reason"] for one in scene.receipts if one["verdict"] == "review")
    assert await passings(scene.order, row.stage) == row.passed
    assert await db.value(f"SELECT count(*) FROM {row.kept}") == row.rows, "evidence is kept"
    problems = await db.rows("SELECT kind FROM problem WHERE closed_at IS NULL")
    assert row.problems <= {one["kind"] for one in problems}
    if "review" in row.verdicts:
        assert problems, "somebody is asked"
    held = await db.rows("SELECT number FROM tranche WHERE state = 'held' ORDER BY 1")
    assert set(row.held) <= {one["number"] for one in held}
    for who, kinds in row.work.items():
        pocket = scene.pockets[who]
        await pocket.pull()
        assert tuple(kinds_of(pocket.documents)) == kinds, who
        assert pocket.documents == await pocket.fresh()
    await healthy()
