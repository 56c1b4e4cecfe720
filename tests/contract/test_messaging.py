"""The sandbox's messaging: once per message, readable by people, nothing private in our log."""

from __future__ import annotations

import pytest

from doorstep.adapters.sandbox_messenger import SandboxMessenger
from doorstep.core import db as core_db
from doorstep.ports import Letter, OutsideRefused, OutsideUnavailable
from tests.contract.conftest import Outside

LAYLA = "+971501234567"


def letter(id: str, channel: str, to: str, subject: str, body: str, language: str) -> Letter:
    return Letter(id=id, channel=channel, to=to, subject=subject, body=body, language=language)


def messenger_of(outside: Outside, **arguments: float) -> SandboxMessenger:
    return SandboxMessenger(outside.url, "msg-key", **arguments)


async def test_a_message_is_delivered_once_per_id(outside: Outside) -> None:
    messenger = messenger_of(outside)
    first = await messenger.send(letter("m-1", "sms", LAYLA, "", "Your code is 4711", "en"))
    assert first == await messenger.send(letter("m-1", "sms", LAYLA, "", "Your code is 4711", "en"))
    await messenger.send(
        letter("m-2", "email", "layla@example.com", "Delivered", "تم التسليم", "ar")
    )

    (sms,) = (await outside.http.get("/messages", params={"to": LAYLA})).json()
    assert (sms["id"], sms["body"], sms["requests"]) == (first, "Your code is 4711", 2)
    assert len((await outside.http.get("/messages")).json()) == 2


async def test_a_lost_answer_does_not_double_a_message(outside: Outside) -> None:
    await outside.fault(
        system="messaging", kind="timeout_after_success", count=1, delay_seconds=1.8
    )
    with pytest.raises(OutsideUnavailable):
        await messenger_of(outside, total_seconds=0.9).send(
            letter("m-1", "sms", LAYLA, "", "Hi", "en")
        )
    await messenger_of(outside).send(letter("m-1", "sms", LAYLA, "", "Hi", "en"))
    assert len((await outside.http.get("/messages")).json()) == 1


async def test_a_busy_provider_is_asked_again(outside: Outside) -> None:
    await outside.fault(system="messaging", kind="status_500", count=2)
    assert await messenger_of(outside).send(letter("m-1", "sms", LAYLA, "", "Hi", "en"))


async def test_a_wrong_key_is_refused(outside: Outside) -> None:
    with pytest.raises(OutsideRefused):
        await SandboxMessenger(outside.url, "wrong").send(
            letter("m-1", "sms", LAYLA, "", "Hi", "en")
        )


async def test_people_can_read_what_was_sent(outside: Outside) -> None:
    await messenger_of(outside).send(
        letter("m-1", "email", "a@b.example", "<b>Hi</b>", "1 < 2", "en")
    )
    page = (await outside.http.get("/")).text
    assert "&lt;b&gt;Hi&lt;/b&gt;" in page
    assert "<b>Hi</b>" not in page


async def test_the_log_holds_neither_the_text_nor_the_recipient(outside: Outside) -> None:
    await messenger_of(outside).send(letter("m-1", "sms", LAYLA, "Code", "Your code is 4711", "en"))
    row = await core_db.one("SELECT * FROM outgoing_call")
    assert (row["system"], row["purpose"], row["status"]) == ("messaging", "send_sms", 200)
    kept = str(row)
    assert "4711" not in kept
    assert LAYLA not in kept
    assert "msg-key" not in kept
