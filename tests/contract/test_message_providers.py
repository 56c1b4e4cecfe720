"""WhatsApp, Twilio and MSG91 against the sandbox: what is handed over, what each failure leaves known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from doorstep import ports
from doorstep.adapters.messengers import BadSmsProviders, Messengers, country_of
from doorstep.adapters.msg91 import Msg91
from doorstep.adapters.sandbox_messenger import SandboxMessenger
from doorstep.adapters.twilio import Twilio
from doorstep.adapters.whatsapp import WhatsApp
from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from tests.contract.conftest import Outside

LAYLA, RAVI = "+971501234567", "+919812345678"
PUBLIC = "https://doorstep.example"


def whatsapp(outside: Outside, **arguments: float) -> WhatsApp:
    return WhatsApp(f"{outside.url}/whatsapp", "1055", "wa-token", **arguments)


def twilio(outside: Outside, **arguments: float) -> Twilio:
    url = f"{outside.url}/twilio"
    return Twilio(url, "AC1", "auth-token", "+15005550006", PUBLIC, **arguments)


def msg91(outside: Outside, **arguments: float) -> Msg91:
    return Msg91(f"{outside.url}/msg91", "m91-key", "DSTEP", **arguments)


Make = Callable[..., Any]
PROVIDERS = pytest.mark.parametrize("make", [whatsapp, twilio, msg91])


def letter(**changes: Any) -> ports.Letter:
    usual = ports.Letter(
        id=str(uuid7()),
        channel="sms",
        to=LAYLA,
        subject="",
        body="Doorstep: Delivery executive assigned. Order DS-100042.",
        language="en",
        template="milestone_v1",
        parameters=["Doorstep", "Delivery executive assigned.", "DS-100042"],
    )
    return replace(usual, **changes)


async def sent(outside: Outside) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await outside.http.get("/messages")).json()
    return found


async def test_whatsapp_fills_a_template_and_names_our_number(outside: Outside) -> None:
    given = letter(parameters=["Doorstep", "two\nlines", ""])
    provider_id = await whatsapp(outside).send(given)
    (one,) = await sent(outside)
    assert provider_id.startswith("wamid.") and one["id"] == provider_id
    assert (one["channel"], one["to"], one["reference"]) == ("whatsapp", LAYLA, given.id)
    assert one["body"] == "milestone_v1: Doorstep · two lines · –"


async def test_whatsapp_answers_who_has_just_written_in_free_words(outside: Outside) -> None:
    await whatsapp(outside).send(letter(reply=True, template="", body="You are off the list."))
    assert (await sent(outside))[0]["body"] == "You are off the list."


async def test_whatsapp_without_a_template_sends_nothing(outside: Outside) -> None:
    with pytest.raises(ports.OutsideRefused):
        await whatsapp(outside).send(letter(template=""))
    assert await sent(outside) == []


async def test_twilio_gets_the_words_and_an_address_for_reports(outside: Outside) -> None:
    given = letter()
    provider_id = await twilio(outside).send(given)
    (one,) = await sent(outside)
    assert provider_id.startswith("SM") and one["id"] == provider_id
    assert (one["to"], one["body"], one["reference"]) == (LAYLA, given.body, given.id)
    reports = await outside.receiver.wait_for(2)
    assert {report.path for report in reports} == {f"/hooks/twilio/{given.id}"}


async def test_twilio_says_that_a_number_is_none(outside: Outside) -> None:
    with pytest.raises(ports.AddressDead):
        await twilio(outside).send(letter(to="0501234567"))


async def test_msg91_fills_a_flow(outside: Outside) -> None:
    given = letter(to=RAVI, template="65f0dlt")
    await msg91(outside).send(given)
    (one,) = await sent(outside)
    assert (one["to"], one["reference"]) == (RAVI, given.id)
    assert one["body"] == "65f0dlt: Doorstep · Delivery executive assigned. · DS-100042"


async def test_msg91_refuses_words_that_are_not_registered(outside: Outside) -> None:
    with pytest.raises(ports.OutsideRefused):
        await msg91(outside).send(letter(template=""))


@PROVIDERS
async def test_a_wrong_key_is_refused(outside: Outside, make: Make) -> None:
    messenger = make(outside)
    messenger._headers = {**messenger._headers, "Authorization": "Bearer x", "authkey": "x"}
    with pytest.raises(ports.OutsideRefused):
        await messenger.send(letter())


@PROVIDERS
@pytest.mark.parametrize("kind", ["timeout_after_success", "timeout_without_effect", "status_500"])
async def test_no_answer_leaves_it_unknown_and_is_not_sent_again(
    outside: Outside, make: Make, kind: str
) -> None:
    await outside.fault(system="messaging", kind=kind, count=1, delay_seconds=1.8)
    with pytest.raises(ports.OutcomeUnknown):
        await make(outside, total_seconds=0.9).send(letter())
    calls = await core_db.value("SELECT count(*) FROM outgoing_call")
    assert calls == 1


@PROVIDERS
async def test_a_busy_provider_has_surely_not_taken_it(outside: Outside, make: Make) -> None:
    await outside.fault(system="messaging", kind="status_429", count=1)
    with pytest.raises(ports.OutsideUnavailable) as refused:
        await make(outside).send(letter())
    assert not isinstance(refused.value, ports.OutcomeUnknown)
    assert await sent(outside) == []


@PROVIDERS
async def test_nobody_there_has_surely_not_taken_it(outside: Outside, make: Make) -> None:
    gone = replace(outside, url="https://127.0.0.1:9")
    with pytest.raises(ports.OutsideUnavailable) as refused:
        await make(gone).send(letter())
    assert not isinstance(refused.value, ports.OutcomeUnknown)


@PROVIDERS
async def test_the_log_holds_neither_words_nor_reader(outside: Outside, make: Make) -> None:
    given = letter(body="Your code is 4711", parameters=["4711"], template="code_v1")
    await make(outside).send(given)
    kept = str(await core_db.rows("SELECT * FROM outgoing_call"))
    for secret in ("4711", LAYLA[1:], "wa-token", "auth-token", "m91-key"):
        assert secret not in kept


async def test_the_page_shows_channel_provider_and_reports(outside: Outside) -> None:
    await whatsapp(outside).send(letter())
    page = (await outside.http.get("/")).text
    assert "whatsapp" in page and "sent, delivered, read" in page


def test_the_country_of_a_number_chooses_who_sends() -> None:
    others, india, world = (SandboxMessenger("https://x.example", name) for name in "abc")
    both = Messengers(others, sms={"IN": india, "*": world})
    assert both._for("sms", RAVI) is india and both._for("sms", LAYLA) is world
    assert both._for("email", "a@b.example") is others is both._for("whatsapp", RAVI)
    assert Messengers(others)._for("sms", RAVI) is others
    assert (country_of(LAYLA), country_of("nobody")) == ("AE", "")


async def test_a_provider_that_is_not_configured_cannot_be_chosen(
    monkeypatch: pytest.MonkeyPatch, allow: Callable[[str], None]
) -> None:
    monkeypatch.setenv("SMS_PROVIDERS", "IN:msg91")
    monkeypatch.setenv("MESSAGING_URL", "https://x.example")
    allow("https://x.example")
    with pytest.raises(BadSmsProviders):
        Messengers.configured()
