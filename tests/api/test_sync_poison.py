"""What cannot be carried out is kept, told in words, and holds nothing back (IC7)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from doorstep.core import db as core_db
from doorstep.core.captures.canonical import signed_bytes
from doorstep.core.ids import uuid7
from tests.factories.company import Company
from tests.factories.crews import crewed
from tests.factories.floor import open_problems
from tests.factories.phone_keys import key_of
from tests.factories.steps import healthy
from tests.factories.sync import PUSH, Phone, kept_goods, picking, unannounced

BLANK = {"reason": "", "verdict": "applied"}


async def test_one_poison_event_among_a_hundred_lets_ninety_nine_through(company: Company) -> None:
    phone = Phone(company, "warehouse")
    events = [unannounced(phone, lane=f"goods:{n % 7}") for n in range(100)]
    events[41]["payload"] = {"code": 7}
    receipts = await phone.push(*events)
    verdicts = [one["verdict"] for one in receipts]
    assert verdicts.count("applied") == 99
    assert verdicts[41] == "rejected"
    [poison] = await phone.asked(events[41]["event_id"])
    assert poison == receipts[41]
    assert poison["reason"] == "The payload is not valid: Expected `str`, got `int` - at `$.code`"
    assert await kept_goods() == 99
    await company.work()
    [problem] = await open_problems("capture_rejected")
    assert poison["reason"] in problem["detail"]


async def test_one_poison_event_among_five_hundred_is_seen_by_the_desk(company: Company) -> None:
    """A long day without a signal, handed in batch by batch in lanes that the poison shares."""
    phone = Phone(company, "warehouse")
    events = [unannounced(phone, lane=f"goods:{n % 12}") for n in range(500)]
    events[321]["payload"] = {"code": 7}
    receipts = [
        receipt for n in range(0, 500, 100) for receipt in await phone.push(*events[n : n + 100])
    ]
    verdicts = [one["verdict"] for one in receipts]
    assert verdicts == ["applied"] * 321 + ["rejected"] + ["applied"] * 178
    assert await kept_goods() == 499
    assert await phone.asked(events[321]["event_id"]) == [receipts[321]]
    await company.work()
    [problem] = await company.get("admin", "/problems?kind=capture_rejected")
    assert receipts[321]["reason"] in problem["reason"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"type": "pod.lost"}, "There is no event of the type pod.lost."),
        ({"type": "pod.record"}, "A warehouse may not hand in pod.record."),
        ({"payload": {"words": "x"}}, "missing required field `code`"),
        ({"payload": []}, "The payload cannot be read"),
        ({"payload": {"code": "\0"}}, "U+0000"),
        ({"schema": 0}, "of schema 0 is not read any more"),
        ({"lane": ""}, "The event cannot be read"),
        ({"captured_at": "9999-12-31T23:59:59Z"}, "edge of the calendar"),
        ({"device_seq": 2**70}, "The event cannot be read"),
        ({"boot": None}, "The event cannot be read"),
    ],
)
async def test_what_cannot_be_carried_out_is_kept_and_rejected_in_words(
    company: Company, wrong: dict[str, Any], words: str
) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone) | wrong
    receipts = await phone.push(event, unannounced(phone))
    assert [one["verdict"] for one in receipts] == ["rejected", "applied"]
    assert words in receipts[0]["reason"]
    assert await phone.push(event) == [receipts[0]]
    kept = await core_db.value("SELECT body FROM capture WHERE event_id = $1", event["event_id"])
    assert UUID(msgspec.json.decode(kept)["event_id"]) == event["event_id"]
    await company.work()
    assert len(await open_problems("capture_rejected")) == 1
    await healthy()


async def test_an_event_without_an_id_is_kept_and_named_by_its_place(company: Company) -> None:
    phone = Phone(company, "warehouse")
    for _ in range(2):
        answer = await phone.send(unannounced(phone), {"event_id": "none"}, 7, "text", None)
        assert [one["index"] for one in answer.json()["unreadable"]] == [1, 2, 3, 4]
        assert all(one["reason"] for one in answer.json()["unreadable"])
        assert [one["verdict"] for one in answer.json()["receipts"]] == ["applied"]
    assert await core_db.value("SELECT count(*) FROM stray_capture WHERE why = 'unreadable'") == 4


async def test_half_an_emoji_keeps_no_batch_back(company: Company) -> None:
    """A text that was cut in the middle of a character, as JavaScript cuts and writes it."""
    phone = Phone(company, "warehouse")
    headers = company.users["warehouse"].headers | {"Content-Type": "application/json"}
    texts = [msgspec.json.encode(unannounced(phone)) for _ in range(3)]
    texts[1] = texts[1].replace(b"Nobody", rb"\\ud83d \ud83d\ude00 \ud83d", 1)
    # The signature covers half a character as JavaScript has written it.
    signatures = [key_of(headers).sign(signed_bytes(text)).encode() for text in texts]
    events = [
        text.replace(b'"sig":null', b'"sig":"%b"' % signature)
        for text, signature in zip(texts, signatures, strict=True)
    ]
    batch = b'{"app_version":"1","sent_at":"","events":[%b]}' % b", ".join(events)
    answer = await company.http.post(PUSH, content=batch, headers=headers)
    assert [one["verdict"] for one in answer.json()["receipts"]] == ["applied"] * 3
    words = await core_db.rows("SELECT words FROM unannounced_goods")
    assert "\\ud83d \U0001f600 \ufffd knows it." in {row["words"] for row in words}


async def test_what_the_business_refuses_is_kept_for_a_person(company: Company) -> None:
    """The shift is over, or the stop is not this person's any more (IC7)."""
    shift = await crewed(company, "VAN-3")
    phone = Phone(company, "delivery")
    close = phone.event("shift.close", {"shift_id": shift})
    again = phone.event("shift.open", {"shift_id": shift})
    gone = phone.event("delivery.failed", {"stop_id": uuid7(), "reason": "not_home"}, lane="stop")
    receipts = await phone.push(close, again, gone)
    assert [one["verdict"] for one in receipts] == ["applied", "review", "review"]
    assert all(one["reason"] for one in receipts[1:])
    await company.work()
    assert {one["ref"] for one in await open_problems("capture_refused")} == {
        f"capture:{again['event_id']}", f"capture:{gone['event_id']}",
    }  # fmt: skip
    await healthy()


async def test_a_step_that_comes_too_early_is_held_and_counts_later(company: Company) -> None:
    phone = Phone(company, "warehouse")
    order, pick = await picking(company, phone)
    pack = await order.pack()
    [receipt] = await phone.push(phone.of(pack.path, pack.body))
    assert receipt["verdict"] == "held"
    check = await order.check()
    receipts = await phone.push(pick, phone.of(check.path, check.body))
    assert [one["verdict"] for one in receipts] == ["applied", "applied"]
    assert 1007 in await order.passed()
    assert await phone.asked(pack.body["event_id"]) == [receipt]


async def test_a_reason_is_words_also_where_the_refusal_only_names_the_thing(
    company: Company,
) -> None:
    phone, unknown = Phone(company, "warehouse"), uuid7()
    [receipt] = await phone.push(phone.event("pick.start", {"fulfilment_id": unknown}))
    assert receipt["verdict"] == "review"
    assert str(unknown) in receipt["reason"]
    assert len(receipt["reason"].replace(str(unknown), "").split()) > 3
