"""Who wants no messages gets none: kept as history, honoured at once, also for what waits already."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from doorstep import doctor, ports
from doorstep.modules.messages import service
from tests.factories.care import Travelling
from tests.factories.messages import (
    EMAIL,
    PHONE,
    READER,
    Providers,
    carry,
    states,
    with_whatsapp,
    write,
)


async def stop(channel: str = "sms", address: str = PHONE) -> bool:
    return await service.set_preference(channel, address, wanted=False, why="stop")


async def test_nothing_is_written_to_who_has_opted_out(
    providers: Providers, told_of: Travelling
) -> None:
    assert await stop()
    await write(told_of, "1012")
    await carry()
    assert await states("1012") == {"sms": "skipped", "email": "sent"}
    assert providers.channels == ["email"]


async def test_an_opt_out_is_of_one_channel(
    providers: Providers, told_of: Travelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stop("whatsapp")
    with with_whatsapp(monkeypatch):
        await write(told_of, "1012")
    await carry()
    assert await states("1012") == {"whatsapp": "skipped", "sms": "sent", "email": "sent"}


async def test_what_waits_already_is_skipped_at_once(
    providers: Providers, told_of: Travelling, db: Any
) -> None:
    await write(told_of)
    await stop()
    assert await states() == {"sms": "skipped"}
    row = await db.one("SELECT * FROM message")
    assert row["failure"] == "The reader has opted out." and row["secret"] is None
    await carry()
    assert providers.sent == []


async def test_a_chain_goes_on_where_it_is_allowed(
    providers: Providers, told_of: Travelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_whatsapp(monkeypatch):
        await write(told_of)
        await stop("whatsapp")
    await carry()
    assert await states() == {"whatsapp": "skipped", "sms": "sent"}


async def test_an_opt_out_between_the_writing_and_the_job_is_seen_by_the_job(
    providers: Providers, told_of: Travelling, db: Any
) -> None:
    await write(told_of)
    # As one that was kept by a version that does not look at what waits.
    await db.execute(
        "INSERT INTO contact_preference (id, channel, address, n, wanted, why, set_at)"
        " VALUES (new_id(), 'sms', $1, 1, false, 'stop', now())",
        PHONE,
    )
    await carry()
    assert providers.sent == [] and await states() == {"sms": "skipped"}


async def test_the_newest_word_holds_and_all_are_kept(
    providers: Providers, told_of: Travelling, db: Any
) -> None:
    assert await stop() and not await stop()
    assert await service.set_preference("sms", PHONE, wanted=True, why="start")
    assert not await service.set_preference("sms", PHONE, wanted=True, why="page")
    await write(told_of)
    await carry()
    assert providers.channels == ["sms"]
    kept = await db.rows("SELECT n, wanted, why FROM contact_preference ORDER BY n")
    assert [(row["n"], row["wanted"], row["why"]) for row in kept] == [
        (1, False, "stop"),
        (2, True, "start"),
    ]


async def test_capitals_in_an_email_address_do_not_matter(
    providers: Providers, told_of: Travelling
) -> None:
    await stop("email", EMAIL.upper())
    await write(told_of, "1003", reader=replace(READER, email=EMAIL.title()))
    await carry()
    assert providers.sent == []


async def test_a_mailbox_that_is_none_is_not_written_to_again(
    providers: Providers, told_of: Travelling, db: Any
) -> None:
    providers.fates = [ports.AddressDead("550 no such user", system="smtp")]
    await write(told_of, "1003")
    await carry()
    await write(told_of, "1005")
    await carry()
    assert providers.sent == [] and await states("1003") == {"email": "failed"}
    assert await states("1005") == {"email": "skipped"}
    row = await db.one("SELECT * FROM contact_preference")
    assert (row["channel"], row["why"]) == ("email", "hard_bounce")
    assert "550" in row["detail"]


async def test_who_has_stopped_at_the_provider_has_opted_out(
    providers: Providers, told_of: Travelling, db: Any
) -> None:
    providers.fates = [ports.RecipientStopped("21610", system="twilio")]
    await write(told_of)
    await carry()
    assert await db.value("SELECT why FROM contact_preference") == "provider"


async def test_a_stop_and_a_sending_at_once_never_cross(
    providers: Providers, told_of: Travelling, db: Any
) -> None:
    for attempt in range(1, 13):
        (message_id,) = await write(told_of, attempt=attempt)
        await asyncio.gather(stop(), service.begin(message_id))
        await service.set_preference("sms", PHONE, wanted=True, why="start")
    found = {row["state"] for row in await db.rows("SELECT state FROM message")}
    assert found <= {"skipped", "sending"}
    # Whatever was begun was begun before the STOP that came beside it.
    late = await db.value(
        "SELECT count(*) FROM message m JOIN contact_preference p ON p.n = m.attempt * 2 - 1"
        " WHERE m.state = 'sending' AND m.sending_at > p.set_at + interval '1 second'"
    )
    assert late == 0


async def test_the_doctor_sees_nothing_wrong(providers: Providers, told_of: Travelling) -> None:
    await stop()
    await write(told_of, "1012")
    await write(told_of)
    await carry()
    assert not [one for one in await doctor.run() if one.check.startswith("IQ3")]
