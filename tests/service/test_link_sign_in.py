"""The code of a link: sent once each, tried five times, opening one session that ends with the link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core import tenant
from doorstep.core.auth.tokens import hash_of
from doorstep.core.clock import now
from doorstep.doors.track import page_sql
from doorstep.flows import link_access
from doorstep.modules.crm import service as crm
from doorstep.modules.crm import sign_in
from doorstep.modules.crm.rules import hash_token
from doorstep.modules.crm.sign_in import SignInCodeWrong
from tests.factories.care import Travelling, place, reacting

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
async def _bound() -> AsyncIterator[None]:
    with reacting():
        yield


async def told(order: Travelling) -> str:
    """Take the code from the message that waits to be sent."""
    code: str = await core_db.value(
        "SELECT secret FROM message WHERE order_id = $1 AND event = 'sign_in_code'"
        " ORDER BY attempt DESC LIMIT 1",
        order.order_id,
    )
    return code


async def ask(order: Travelling) -> str:
    await link_access.send_sign_in_code(order.order_id, hash_token(order.token))
    return await told(order)


async def signed_in(order: Travelling, token: str) -> bool:
    found = await core_db.row(page_sql.LINK, hash_token(order.token), now(), hash_of(token))
    return bool(found and found["signed_in"])


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def test_a_code_goes_to_the_phone_and_only_its_hash_stays() -> None:
    order = await place(("KET-17", 1))
    code = await ask(order)
    assert len(code) == 6 and code.isdecimal()
    message = await core_db.one("SELECT * FROM message WHERE event = 'sign_in_code'")
    assert (message["recipient"], message["channel"]) == ("+971501234567", "sms")
    assert code not in message["body"]
    kept = await core_db.one("SELECT * FROM link_code")
    assert code.encode() not in kept["code_hash"]
    token = await sign_in.sign_in(hash_token(order.token), code)
    assert await signed_in(order, token)
    stored = await core_db.one("SELECT * FROM link_session")
    assert stored["session_hash"] == hash_of(token)
    assert stored["expires_at"] - stored["created_at"] == timedelta(hours=24)


async def test_two_right_answers_at_once_are_one_session() -> None:
    order = await place(("KET-17", 1))
    code = await ask(order)
    tokens = await asyncio.gather(
        *(sign_in.sign_in(hash_token(order.token), code) for _ in range(8))
    )
    assert len({*tokens}) == 1
    assert await core_db.value("SELECT count(*) FROM link_session") == 1


async def test_a_used_code_opens_nothing_later(clock: Any) -> None:
    order = await place(("KET-17", 1))
    code = await ask(order)
    token = await sign_in.sign_in(hash_token(order.token), code)
    clock.advance(sign_in.SAME_TAP + timedelta(seconds=1))
    with pytest.raises(SignInCodeWrong):
        await sign_in.sign_in(hash_token(order.token), code)
    assert await signed_in(order, token)


async def test_the_sixth_try_is_refused_even_if_it_is_right() -> None:
    order = await place(("KET-17", 1))
    code = await ask(order)
    for _ in range(sign_in.MAX_TRIES):
        with pytest.raises(SignInCodeWrong):
            await sign_in.sign_in(hash_token(order.token), wrong(code))
    with pytest.raises(SignInCodeWrong):
        await sign_in.sign_in(hash_token(order.token), code)
    assert await core_db.value("SELECT count(*) FROM link_session") == 0
    again = await ask(order)
    assert await sign_in.sign_in(hash_token(order.token), again)


async def test_of_many_guesses_at_once_five_are_looked_at() -> None:
    order = await place(("KET-17", 1))
    code = await ask(order)

    async def guess(said: str) -> bool:
        try:
            await sign_in.sign_in(hash_token(order.token), said)
        except SignInCodeWrong:
            return False
        return True

    assert not any(await asyncio.gather(*(guess(wrong(code)) for _ in range(12))))
    assert await core_db.value("SELECT failed_tries FROM link_code") == sign_in.MAX_TRIES
    assert not await guess(code)


async def test_ten_minutes_and_a_newer_code_end_a_code(clock: Any) -> None:
    order = await place(("KET-17", 1))
    first = await ask(order)
    second = await ask(order)
    if first != second:
        with pytest.raises(SignInCodeWrong):
            await sign_in.sign_in(hash_token(order.token), first)
    clock.advance(sign_in.CODE_LIFE)
    with pytest.raises(SignInCodeWrong):
        await sign_in.sign_in(hash_token(order.token), second)


async def test_a_day_has_ten_codes_at_most_also_at_once(clock: Any) -> None:
    order = await place(("KET-17", 1))
    tries = [
        link_access.send_sign_in_code(order.order_id, hash_token(order.token)) for _ in range(12)
    ]
    await asyncio.gather(*tries)
    sent = "SELECT count(*) FROM message WHERE event = 'sign_in_code'"
    assert await core_db.value(sent) == sign_in.MOST_A_DAY
    clock.advance(timedelta(days=1, seconds=1))
    await ask(order)
    assert await core_db.value(sent) == sign_in.MOST_A_DAY + 1


async def test_without_a_phone_nothing_is_sent_and_nothing_is_different() -> None:
    order = await place(("KET-17", 1))
    await core_db.execute("UPDATE customer SET phone = NULL")
    await core_db.execute("UPDATE address SET phone = NULL")
    await link_access.send_sign_in_code(order.order_id, hash_token(order.token))
    assert await core_db.value("SELECT count(*) FROM message WHERE event = 'sign_in_code'") == 0


async def test_a_code_opens_its_own_link_only_and_ends_with_it() -> None:
    order = await place(("KET-17", 1))
    other = await place(("KET-17", 1), world=order.world)
    code = await ask(order)
    with pytest.raises(SignInCodeWrong):
        await sign_in.sign_in(hash_token(other.token), code)
    token = await sign_in.sign_in(hash_token(order.token), code)
    assert not await signed_in(other, token)
    await crm.revoke_links(order.order_id)
    assert not await signed_in(order, token)
    with pytest.raises(SignInCodeWrong):
        await sign_in.sign_in(hash_token(order.token), code)


async def test_a_session_ends_after_a_day_and_by_signing_out(clock: Any) -> None:
    order = await place(("KET-17", 1))
    token = await sign_in.sign_in(hash_token(order.token), await ask(order))
    other = await place(("KET-17", 1), world=order.world)
    await sign_in.sign_out(hash_token(other.token), token)
    assert await signed_in(order, token)
    await sign_in.sign_out(hash_token(order.token), token)
    assert not await signed_in(order, token)
    again = await sign_in.sign_in(hash_token(order.token), await ask(order))
    clock.advance(sign_in.SESSION_LIFE)
    assert not await signed_in(order, again)


# --- The role -------------------------------------------------------------------------------------

GRANTED = """
SELECT c.relname AS name, min(g.privilege_type) AS least, max(g.privilege_type) AS most
  FROM information_schema.column_privileges g JOIN pg_class c ON c.relname = g.table_name
 WHERE g.grantee = 'doorstep_customer' GROUP BY c.relname
"""

LISTS = frozenset({"channel", "location", "product", "carrier"})
"""The company's own, the same for everybody, and of them only harmless columns."""

KEYS = {
    "customer_order": "id = $1",
    "fulfilment_line": "fulfilment_id IN (SELECT id FROM fulfilment WHERE order_id = $1)",
    "piece": "shipment_id IN (SELECT id FROM shipment WHERE order_id = $1)",
    "scan": "label_no IN (SELECT label_no FROM piece p JOIN shipment s ON s.id = p.shipment_id"
    " WHERE s.order_id = $1)",
    "person_portrait": "person_id IN (SELECT r.person_id FROM delivery_stop s"
    " JOIN delivery_run r ON r.id = s.run_id WHERE s.order_id = $1)",
    "address": "id IN (SELECT address_id FROM customer_order WHERE id = $1)",
}
"""How rows belong to an order, where they do not name it."""


async def test_the_database_shows_a_link_no_row_of_another_order() -> None:
    order = await place(("KET-17", 1))
    await place(("KET-17", 1), world=order.world)
    granted = {row["name"]: row for row in await core_db.rows(GRANTED)}
    assert {row["least"] for row in granted.values()} == {"SELECT"}
    assert {row["most"] for row in granted.values()} == {"SELECT"}
    assert len(granted) >= 20 and granted.keys() > LISTS
    for name in granted.keys() - LISTS:
        total = await core_db.value(f"SELECT count(*) FROM {name}")
        key = KEYS.get(name, "order_id = $1")
        own = await core_db.value(f"SELECT count(*) FROM {name} WHERE {key}", order.order_id)
        assert total == 0 or own < total, f"{name}: the test has no foreign rows"
        async with tenant.customer(order.order_id, signed_in=True):
            assert await core_db.value(f"SELECT count(*) FROM {name}") == own, name
        async with tenant.customer(order.parcels[0], signed_in=True):
            assert await core_db.value(f"SELECT count(*) FROM {name}") == 0, name


async def test_before_signing_in_the_database_shows_no_address_and_no_paper() -> None:
    order = await place(("KET-17", 1))
    for name in ("address", "order_document", "extra_receipt"):
        async with tenant.customer(order.order_id, signed_in=False):
            assert await core_db.value(f"SELECT count(*) FROM {name}") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT name FROM person",
        "SELECT phone FROM address",
        "SELECT lat FROM location",
        "SELECT detail FROM detour_case",
        "SELECT body FROM message",
        "SELECT name FROM customer",
        "SELECT token_hash FROM order_link",
        "UPDATE fulfilment SET progress = 100",
    ],
)
async def test_the_role_may_do_nothing_else(statement: str) -> None:
    order = await place(("KET-17", 1))
    with pytest.raises(Exception, match="permission denied"):
        async with tenant.customer(order.order_id, signed_in=True):
            await core_db.execute(statement)


async def test_a_connection_keeps_nothing_of_the_role() -> None:
    order = await place(("KET-17", 1))
    async with tenant.customer(order.order_id, signed_in=True):
        pass
    for _ in range(12):
        assert await core_db.value("SELECT current_setting('role')") == "none"
        assert await core_db.value("SELECT count(*) FROM person") is not None
    async with core_db.unit_of_work():
        async with tenant.customer(order.order_id, signed_in=True):
            pass
        assert await core_db.value("SELECT count(*) FROM person") is not None
        assert not await core_db.value("SELECT link_signed_in()")
