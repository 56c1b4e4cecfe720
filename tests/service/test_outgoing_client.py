"""The way out: where it may go, how often it tries, and what it writes down."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from doorstep import settings as settings_module
from doorstep.adapters import client, guard
from doorstep.adapters.client import (
    ONCE,
    THRICE,
    THRICE_KEYED,
    Call,
    CalledInTransaction,
    Outgoing,
    RetryNotSafe,
)
from doorstep.adapters.guard import is_public
from doorstep.adapters.redaction import ANSWER_LIMIT, redact_body, redact_url
from doorstep.adapters.upkeep import forget_old_calls
from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.ports import OutsideRefused, OutsideUnavailable
from tests.contract.served import served


@dataclass
class Far:
    """A server that answers as it is told, and counts."""

    url: str = ""
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    delay: float = 0.0
    paths: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.paths.append(scope["path"])
        await asyncio.sleep(self.delay)
        status, body, headers = self.answers.pop(0) if self.answers else (200, b'{"ok":true}', {})
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def allow(*origins: str) -> None:
        monkeypatch.setenv("ALLOWED_ORIGINS", ",".join(origins))
        settings_module.reload()

    yield allow
    monkeypatch.undo()
    settings_module.reload()


@pytest.fixture
async def far(db: object, allowed: Any) -> AsyncIterator[Far]:
    server = Far()
    async with served(server) as url:
        server.url = url
        allowed(url)
        yield server
        await client.close()


def out(far: Far, **arguments: Any) -> Outgoing:
    return Outgoing("far", far.url, **arguments)


def get(far: Far, path: str = "/a", **arguments: Any) -> Call:
    return Call(purpose="look", method="GET", url=far.url + path, **arguments)


def post(far: Far, **arguments: Any) -> Call:
    return Call(purpose="act", method="POST", url=far.url + "/b", body=b"{}", **arguments)


async def log() -> list[dict[str, Any]]:
    return await core_db.rows("SELECT * FROM outgoing_call ORDER BY started_at, attempt")


# --- Where it may go ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_the_public_internet_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/a",
        "https://bank.example:444/a",
        "http://bank.example/a",
        "ftp://bank.example/a",
        "https://bank.example@elsewhere.example/",
        "https://bank.example.elsewhere.example/",
    ],
)
async def test_only_the_adapters_own_origin_is_reached(db: object, url: str) -> None:
    bank = Outgoing("bank", "https://bank.example")
    with pytest.raises(OutsideUnavailable) as refused:
        await bank.send(Call(purpose="look", method="GET", url=url))
    assert refused.value.facts["sent"] is False
    (row,) = await log()
    assert row["error"].startswith("AddressRefused")


async def test_a_private_address_is_refused_unless_its_origin_is_named(
    far: Far, allowed: Any
) -> None:
    assert (await out(far).send(get(far))).ok
    await client.close()
    allowed("https://elsewhere.example")
    private = Outgoing("far", far.url.replace("http://", "https://"))
    with pytest.raises(OutsideUnavailable) as refused:
        await private.send(Call(purpose="look", method="GET", url=private.base_url))
    assert isinstance(refused.value.__cause__, guard.AddressRefused)
    assert far.paths == ["/a"]


async def test_a_name_that_changes_its_address_is_dialled_where_it_was_checked(
    far: Far, allowed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the second answer is private, and is never asked for."""
    asked: list[str] = []
    port = int(far.url.rpartition(":")[2])

    async def resolve(_loop: Any, host: str, *_args: Any, **_more: Any) -> list[Any]:
        asked.append(host)
        address = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    dialled: list[str] = []

    async def connect(_self: Any, host: str, *_args: Any, **_more: Any) -> Any:
        dialled.append(host)
        raise guard.httpcore.ConnectError("not in a test")

    loop = type(asyncio.get_running_loop())
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    monkeypatch.setattr(guard.httpcore.AnyIOBackend, "connect_tcp", connect)
    rebinding = Outgoing("far", f"https://rebind.example:{port}")
    for _ in range(2):
        with pytest.raises(OutsideUnavailable):
            await rebinding.send(Call(purpose="look", method="GET", url=rebinding.base_url))
    assert dialled == ["93.184.215.14"]
    assert asked == ["rebind.example", "rebind.example"]


async def test_one_private_address_among_public_ones_is_enough_to_refuse(
    db: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(_loop: Any, *_args: Any, **_more: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, 443)) for address in ("93.184.215.14", "10.0.0.1")]

    monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", resolve)
    mixed = Outgoing("far", "https://mixed.example")
    with pytest.raises(OutsideUnavailable) as refused:
        await mixed.send(Call(purpose="look", method="GET", url=mixed.base_url))
    assert isinstance(refused.value.__cause__, guard.AddressRefused)


async def test_redirects_are_not_followed(far: Far) -> None:
    far.answers = [(302, b"", {"location": far.url + "/secret"})]
    assert (await out(far).send(get(far))).status == 302
    assert far.paths == ["/a"]


async def test_a_proxy_of_the_environment_is_not_used(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    await client.close()
    assert (await out(far).send(get(far))).ok


# --- How often and how long it tries ------------------------------------------------------------


async def test_a_busy_server_is_asked_again_only_by_policy(far: Far) -> None:
    far.answers = [(503, b"", {}), (500, b"", {})]
    assert (await out(far).send(get(far, retry=THRICE))).ok
    assert len(far.paths) == 3
    far.answers = [(503, b"", {})]
    assert (await out(far).send(get(far, retry=ONCE))).status == 503
    assert len(far.paths) == 4


async def test_a_refusal_is_not_asked_again(far: Far) -> None:
    far.answers = [(400, b'{"error":"no"}', {})]
    with pytest.raises(OutsideRefused) as refused:
        await out(far).expect(get(far, retry=THRICE))
    assert (refused.value.facts["http_status"], len(far.paths)) == (400, 1)


async def test_acting_is_repeated_only_under_a_key(far: Far) -> None:
    with pytest.raises(RetryNotSafe):
        await out(far).send(post(far, retry=THRICE))
    far.answers = [(500, b"", {})]
    assert (await out(far).send(post(far, retry=THRICE_KEYED))).ok
    assert len(far.paths) == 2


async def test_the_servers_wish_to_wait_is_heard(far: Far) -> None:
    far.answers = [(429, b"", {"retry-after": "30"})]
    with pytest.raises(OutsideUnavailable) as busy:
        await out(far).expect(get(far, retry=THRICE))
    # 30 s do not fit into the call's 10: the job comes again then.
    assert busy.value.headers["Retry-After"] == "30"
    assert len(far.paths) == 1


async def test_a_slow_server_is_left_in_time(far: Far) -> None:
    far.delay = 3.0
    started = asyncio.get_running_loop().time()
    with pytest.raises(OutsideUnavailable) as late:
        await out(far, total_seconds=0.2).send(get(far, retry=THRICE))
    assert late.value.facts["sent"] is True
    # Long before it would have answered, also on a machine that has much to do.
    assert asyncio.get_running_loop().time() - started < far.delay / 2
    far.delay = 0.0


async def test_nobody_there_means_surely_not_sent(db: object, allowed: Any) -> None:
    allowed("http://127.0.0.1:9")
    nobody = Outgoing("far", "http://127.0.0.1:9")
    with pytest.raises(OutsideUnavailable) as refused:
        await nobody.send(Call(purpose="look", method="GET", url="http://127.0.0.1:9/"))
    assert refused.value.facts["sent"] is False


async def test_an_endless_answer_is_cut(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_BYTES", 1000)
    far.answers = [(200, b"x" * 2000, {})]
    with pytest.raises(OutsideUnavailable):
        await out(far).send(get(far))


async def test_no_call_leaves_from_inside_a_transaction(far: Far) -> None:
    with pytest.raises(CalledInTransaction):
        async with core_db.unit_of_work():
            await out(far).send(get(far))
    assert far.paths == []


# --- What it writes down ------------------------------------------------------------------------


async def test_every_attempt_is_a_row_with_request_and_answer(far: Far) -> None:
    far.answers = [(500, b'{"error":"busy"}', {})]
    await out(far).send(
        Call(
            purpose="act",
            method="PUT",
            url=f"{far.url}/b?key=s3cret&page=2",
            headers={"Authorization": "Bearer s3cret"},
            body=b'{"amount":100,"otp":"4711","customer":{"email":"a@b.example"}}',
            retry=THRICE,
        )
    )
    first, second = await log()
    assert (first["attempt"], first["status"]) == (1, 500)
    assert (second["attempt"], second["status"]) == (2, 200)
    assert first["answer_body"] == '{"error":"busy"}'
    assert second["duration_ms"] >= 0
    assert '"amount":100' in first["request_body"]
    assert "page=2" in first["url"]
    for secret in ("s3cret", "4711", "a@b.example"):
        assert secret not in str(first) + str(second)


async def test_polling_leaves_a_row_only_when_it_fails(far: Far) -> None:
    await out(far).send(get(far, record="failures"))
    assert await log() == []
    far.answers = [(404, b"{}", {})]
    await out(far).send(get(far, record="failures"))
    assert [row["status"] for row in await log()] == [404]


async def test_a_call_cut_short_stays_in_the_log_without_an_end(far: Far) -> None:
    far.delay = 0.5
    task = asyncio.create_task(out(far).send(get(far)))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (row,) = await log()
    assert (row["ended_at"], row["status"]) == (None, None)
    assert await client.forget_calls(now()) == 1
    far.delay = 0.0


def test_bodies_are_kept_without_secrets_and_people() -> None:
    kept = redact_body(
        b'{"customer_email":"a@b.c","api_key":"k1","account_number":"AE46","items":[{"sku":"A"}],'
        b'"fund_account":{"bank_account":{"name":"Gulf","ifsc":"BOML"}},"otp_code":1234}'
    )
    assert '"sku":"A"' in kept
    assert '"ifsc":"BOML"' in kept
    for secret in ("a@b.c", "k1", "AE46", "Gulf", "1234"):
        assert secret not in kept


def test_what_is_not_json_or_too_long_is_not_kept_whole() -> None:
    assert redact_body(b"\x00\xffsecret") == "[8 bytes, not JSON]"
    assert redact_body(b"[" * 10_000).endswith("not JSON]")
    assert len(redact_body(b'"' + b"x" * 200_000 + b'"')) == ANSWER_LIMIT + 1
    assert redact_body(b'"\\u0000"') == '"\\u0000"'


def test_urls_are_kept_without_their_secrets() -> None:
    kept = redact_url("https://user:pw@c.example/api?username=u1&key=k1&waybill=W1")
    assert "waybill=W1" in kept
    for secret in ("user:pw", "u1", "k1"):
        assert secret not in kept


async def test_old_calls_are_forgotten_and_young_ones_kept(db: Any) -> None:
    for days in (91, 89):
        await db.execute(
            "INSERT INTO outgoing_call (id, system, purpose, attempt, method, url, started_at)"
            " VALUES ($1, 'shop', 'test', 1, 'GET', 'http://shop.test/', $2)",
            uuid7(),
            now() - timedelta(days=days),
        )
    await forget_old_calls({})
    assert await db.value("SELECT count(*) FROM outgoing_call") == 1
