"""A chain of channels: one after the other, only if need be, whatever order reports come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from doorstep import doctor, ports
from doorstep.core import db as core_db
from doorstep.modules.messages import service
from doorstep.modules.messages.delivery_rules import MOST_SENDS
from tests.factories.care import Travelling
from tests.factories.messages import (
    PHONE,
    Providers,
    carry,
    carrying,
    reported,
    states,
    with_whatsapp,
    write,
)

UNKNOWN = ports.OutcomeUnknown("no answer", system="whatsapp", sent=True)


@pytest.fixture
async def providers(
    told_of: Travelling, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Providers]:
    messenger = Providers()
    with with_whatsapp(monkeypatch), carrying(messenger):
        yield messenger


async def healthy() -> bool:
    return not [one for one in await doctor.run() if one.check.startswith("IQ3")]


# --- The order of channels ------------------------------------------------------------------------


async def test_without_a_provider_of_whatsapp_the_chain_begins_at_sms(told_of: Travelling) -> None:
    await write(told_of)
    assert await states() == {"sms": "queued"}


async def test_only_the_first_of_a_chain_is_sent(providers: Providers, told_of: Travelling) -> None:
    await write(told_of)
    await carry()
    assert providers.channels == ["whatsapp"]
    assert await states() == {"whatsapp": "sent", "sms": "standby"}
    letter = providers.sent[0]
    assert letter.template == "handover_code_v1" and "482915" in letter.parameters


async def test_email_goes_beside_the_chain(providers: Providers, told_of: Travelling) -> None:
    await write(told_of, "1012")
    await carry()
    assert sorted(providers.channels) == ["email", "whatsapp"]


async def test_without_a_receipt_the_next_is_sent_once(
    providers: Providers, told_of: Travelling, clock: Any, db: Any
) -> None:
    await write(told_of)
    await carry()
    clock.advance(timedelta(minutes=2))
    await carry()
    assert providers.channels == ["whatsapp"]
    for _ in range(3):
        clock.advance(timedelta(minutes=2))
        await carry()
    assert providers.channels == ["whatsapp", "sms"]
    assert "482915" in providers.sent[1].body
    assert await db.value("SELECT count(*) FROM message WHERE secret IS NOT NULL") == 0
    assert await healthy()


@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_a_receipt_in_time_lets_the_next_rest(
    providers: Providers, told_of: Travelling, clock: Any, db: Any, status: str
) -> None:
    await write(told_of)
    await carry()
    await service.keep_report("whatsapp", reported("whatsapp-1", status))
    clock.advance(timedelta(hours=1))
    await carry()
    assert providers.channels == ["whatsapp"]
    assert await states() == {"whatsapp": status, "sms": "skipped"}
    assert await db.value("SELECT count(*) FROM message WHERE secret IS NOT NULL") == 0


async def test_a_failure_sends_the_next_at_once(
    providers: Providers, told_of: Travelling, db: Any
) -> None:
    await write(told_of)
    await carry()
    await service.keep_report("whatsapp", reported("whatsapp-1", "failed"))
    await carry()
    assert await states() == {"whatsapp": "failed", "sms": "sent"}
    assert await db.value("SELECT count(*) FROM outbox WHERE kind = 'helpdesk.open_problem'") == 0


async def test_a_refusal_sends_the_next_at_once(providers: Providers, told_of: Travelling) -> None:
    providers.fates = [ports.OutsideRefused("no template", system="whatsapp")]
    await write(told_of)
    await carry()
    assert await states() == {"whatsapp": "failed", "sms": "sent"}


async def test_a_failure_of_the_last_asks_a_person_once(
    providers: Providers, told_of: Travelling, db: Any
) -> None:
    refused = ports.OutsideRefused("no", system="x")
    providers.fates = [refused, refused]
    await write(told_of)
    await carry()
    assert await states() == {"whatsapp": "failed", "sms": "failed"}
    assert await db.value("SELECT count(*) FROM outbox WHERE kind = 'helpdesk.open_problem'") == 1


async def test_a_late_receipt_stops_what_has_not_gone_out(
    providers: Providers, told_of: Travelling, clock: Any
) -> None:
    await write(told_of)
    await carry()
    clock.advance(timedelta(minutes=4))
    first = [row["id"] for row in await rows("whatsapp")]
    await service.follow_up(first[0])
    assert await states() == {"whatsapp": "sent", "sms": "queued"}
    await service.keep_report("whatsapp", reported("whatsapp-1", "delivered"))
    await carry()
    assert providers.channels == ["whatsapp"]
    assert await states() == {"whatsapp": "delivered", "sms": "skipped"}


async def rows(channel: str) -> list[dict[str, Any]]:
    return await core_db.rows("SELECT * FROM message WHERE channel = $1", channel)


async def test_a_provider_out_of_reach_is_passed_over_in_time(
    providers: Providers, told_of: Travelling, clock: Any
) -> None:
    providers.fates = [ports.OutsideUnavailable("429", sent=False)] * 3
    await write(told_of)
    await carry()
    assert await states() == {"whatsapp": "queued", "sms": "standby"}
    clock.advance(timedelta(minutes=4))
    providers.fates = [ports.OutsideUnavailable("429", sent=False)]
    await carry()
    assert providers.channels == ["sms"]
    assert await states() == {"whatsapp": "failed", "sms": "sent"}


# --- Nobody can say -------------------------------------------------------------------------------


async def test_an_unknown_outcome_waits_for_a_report(
    providers: Providers, told_of: Travelling, clock: Any
) -> None:
    providers.fates = [UNKNOWN]
    (first, _) = await write(told_of)
    await carry()
    assert await states() == {"whatsapp": "sent_unknown", "sms": "standby"}
    told = reported("wamid.9", "delivered", message_id=str(first))
    await service.keep_report("whatsapp", told)
    clock.advance(timedelta(hours=1))
    await carry()
    assert providers.channels == ["whatsapp"]
    assert (await rows("whatsapp"))[0]["provider_id"] == "wamid.9"


async def test_an_unknown_outcome_goes_on_by_the_next_channel(
    providers: Providers, told_of: Travelling, clock: Any
) -> None:
    providers.fates = [UNKNOWN]
    await write(told_of)
    await carry()
    clock.advance(timedelta(minutes=4))
    await carry()
    assert providers.channels == ["whatsapp", "sms"]
    assert await states() == {"whatsapp": "sent_unknown", "sms": "sent"}


async def test_what_must_not_be_lost_is_sent_again_where_there_is_no_other_way(
    providers: Providers, told_of: Travelling, clock: Any
) -> None:
    providers.fates = [UNKNOWN, UNKNOWN]
    await write(told_of)
    await carry()
    for _ in range(4):
        clock.advance(timedelta(minutes=11))
        await carry()
    assert providers.channels == ["whatsapp", "sms", "sms"]
    assert (await states())["sms"] == "sent"


async def test_a_busy_provider_uses_up_none_of_the_sends(
    providers: Providers, told_of: Travelling, clock: Any
) -> None:
    busy = ports.OutsideUnavailable("429", sent=False)
    providers.fates = [UNKNOWN, *[busy] * MOST_SENDS, UNKNOWN]
    await write(told_of)
    await carry()
    for _ in range(MOST_SENDS + 3):
        clock.advance(timedelta(minutes=11))
        await carry()
    assert providers.channels == ["whatsapp", "sms", "sms"]
    assert (await rows("sms"))[0]["sends"] == 2


async def test_what_may_be_lost_becomes_a_problem_instead(
    providers: Providers, told_of: Travelling, clock: Any, db: Any
) -> None:
    providers.of_channel = {"whatsapp": [UNKNOWN], "sms": [UNKNOWN]}
    await write(told_of, "1012")
    await carry()
    for _ in range(4):
        clock.advance(timedelta(minutes=11))
        await carry()
    assert sorted(providers.channels) == ["email", "sms", "whatsapp"]
    assert (await states("1012"))["sms"] == "failed"
    assert await db.value("SELECT count(*) FROM problem WHERE kind = 'message_refused'") == 1


async def test_a_worker_that_dies_in_between_does_not_send_twice(
    providers: Providers, told_of: Travelling
) -> None:
    (first, _) = await write(told_of)
    await service.begin(first)  # It dies after this, and another one takes the job.
    await carry()
    assert providers.channels == []
    assert (await states())["whatsapp"] == "sent_unknown"


async def test_a_provider_that_knows_repeats_gets_it_again(
    providers: Providers, told_of: Travelling
) -> None:
    providers.keyed = True
    (first, _) = await write(told_of)
    await service.begin(first)
    await carry()
    assert providers.channels == ["whatsapp"]


# --- Reports --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", list(permutations(["sent", "delivered", "read"])))
async def test_reports_in_any_order_and_twice_end_in_the_same_state(
    providers: Providers, told_of: Travelling, db: Any, seen: tuple[str, ...]
) -> None:
    await write(told_of)
    await carry()
    for status in (*seen, *seen):
        await service.keep_report("whatsapp", reported("whatsapp-1", status))
    (row,) = await rows("whatsapp")
    assert row["state"] == "read" and row["delivered_at"] and row["read_at"]
    assert await db.value("SELECT count(*) FROM message_report") == 3


async def test_a_report_that_comes_before_our_number_is_known(
    providers: Providers, told_of: Travelling
) -> None:
    await service.keep_report("whatsapp", reported("whatsapp-1", "delivered"))
    await write(told_of)
    await carry()
    assert await states() == {"whatsapp": "delivered", "sms": "skipped"}


async def test_a_failure_after_the_delivery_changes_nothing(
    providers: Providers, told_of: Travelling
) -> None:
    await write(told_of)
    await carry()
    await service.keep_report("whatsapp", reported("whatsapp-1", "delivered"))
    await service.keep_report("whatsapp", reported("whatsapp-1", "failed"))
    assert (await states())["whatsapp"] == "delivered"


async def test_reports_at_once_from_many_workers(providers: Providers, told_of: Travelling) -> None:
    await write(told_of)
    await carry()
    told = [reported("whatsapp-1", one) for one in ("sent", "delivered", "read") * 4]
    kept = await asyncio.gather(*(service.keep_report("whatsapp", one) for one in told))
    assert sum(kept) == 3
    assert await states() == {"whatsapp": "read", "sms": "skipped"}


async def test_a_report_and_the_answer_at_once_never_miss_one_another(
    providers: Providers, told_of: Travelling
) -> None:
    for attempt in range(1, 11):
        (first, _) = await write(told_of, attempt=attempt)
        await service.begin(first)
        number = f"wamid.{attempt}"
        await asyncio.gather(
            service.mark_sent(first, number),
            service.keep_report("whatsapp", reported(number, "delivered")),
        )
    found = [row["state"] for row in await rows("whatsapp")]
    assert found == ["delivered"] * 10


# --- Time -----------------------------------------------------------------------------------------


async def test_what_is_no_news_any_more_is_not_sent(
    providers: Providers, told_of: Travelling, clock: Any
) -> None:
    await write(told_of)
    clock.advance(timedelta(hours=13))
    await carry()
    assert providers.sent == []
    assert await states() == {"whatsapp": "skipped", "sms": "skipped"}
    assert PHONE in {row["recipient"] for row in await rows("sms")}
