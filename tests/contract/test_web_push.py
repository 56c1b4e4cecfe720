"""Web Push against the sandbox's push service, which decrypts; and what must never be called."""

from __future__ import annotations

import asyncio
import secrets
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from doorstep import settings as settings_module
from doorstep.adapters import web_push
from doorstep.adapters.client import CalledInTransaction
from doorstep.adapters.vapid import BadVapidSettings, VapidSigner, check_subject
from doorstep.adapters.web_push import WebPush
from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.ports import (
    OutsideGone,
    OutsideRefused,
    OutsideUnavailable,
    PushAddress,
    PushKeysNotValid,
    PushNotice,
    PushServiceUnknown,
)
from doorstep.sandbox import push_crypto
from doorstep.sandbox.push_crypto import decode
from doorstep.stack import backing
from tests.contract.conftest import Outside
from tests.factories.phones import SUBJECT, VAPID_KEY, an_address

KEY = VAPID_KEY

# RFC 8291, appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
READER = push_crypto.reader_of(
    "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "BTBZMqHH6r4Tts7J_aSIgg"
)
PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
    "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
    "lcy4a-fN"
)


def a_notice(text: str = "look", topic: str = "t", urgency: Any = "high") -> PushNotice:
    return PushNotice(
        body=f'{{"text":"{text}"}}'.encode(), ttl_seconds=60, topic=topic, urgency=urgency
    )


async def subscribe(outside: Outside, server_key: str = "") -> PushAddress:
    answer = await outside.http.post(
        "/push-subscriptions", json={"application_server_key": server_key}
    )
    given = answer.json()
    return PushAddress(
        endpoint=given["endpoint"],
        p256dh=decode(given["keys"]["p256dh"]),
        auth=decode(given["keys"]["auth"]),
    )


async def received(outside: Outside, address: PushAddress | None = None) -> list[dict[str, Any]]:
    query = {"endpoint": address.endpoint} if address else {}
    found: list[dict[str, Any]] = (await outside.http.post("/push-messages", params=query)).json()
    return found


@pytest.fixture
async def pusher(outside: Outside) -> Any:
    yield WebPush(KEY, SUBJECT, total_seconds=2)
    await web_push.close()


# --- What is sent ---------------------------------------------------------------------------------


def test_the_reader_reads_the_example_of_the_rfc() -> None:
    assert push_crypto.encode(READER.p256dh) == PUBLIC
    assert READER.decrypt(decode(BODY)) == PLAIN
    damaged = bytearray(decode(BODY))
    damaged[-1] ^= 1
    for broken in (bytes(damaged), decode(BODY)[:90], b"", b"\0" * 200):
        with pytest.raises(push_crypto.NotDecryptable):
            READER.decrypt(broken)


async def test_a_notice_comes_to_its_phone_and_only_that_one_can_read_it(
    outside: Outside, pusher: WebPush
) -> None:
    phone, other = await subscribe(outside, pusher.public_key), await subscribe(outside)
    await pusher.send(phone, a_notice("للباب", topic="abc"))
    [message] = await received(outside, phone)
    assert message["message"] == {"text": "للباب"}
    assert (message["topic"], message["urgency"], message["ttl"]) == ("abc", "high", 60)
    assert await received(outside, other) == []
    # For the keys of another phone the browser could not read it.
    mixed = PushAddress(endpoint=phone.endpoint, p256dh=other.p256dh, auth=other.auth)
    with pytest.raises(OutsideRefused, match="not for this key"):
        await pusher.send(mixed, a_notice())


async def test_of_one_topic_only_the_last_is_shown(outside: Outside, pusher: WebPush) -> None:
    phone = await subscribe(outside)
    for text, topic in (("1", "run"), ("2", "run"), ("3", "visit")):
        await pusher.send(phone, a_notice(text, topic=topic))
    found = await received(outside, phone)
    assert [(one["message"]["text"], one["requests"]) for one in found] == [("2", 2), ("3", 1)]


async def test_a_key_that_the_phone_does_not_know_is_refused(
    outside: Outside, pusher: WebPush
) -> None:
    stranger = WebPush("B" * 43, SUBJECT)
    phone = await subscribe(outside, pusher.public_key)
    with pytest.raises(OutsideRefused, match="another key") as refused:
        await stranger.send(phone, a_notice())
    assert refused.value.facts["http_status"] == 403
    assert await received(outside, phone) == []


async def test_a_header_is_signed_once_per_push_service_and_again_before_it_ends(
    outside: Outside, pusher: WebPush, clock: Any
) -> None:
    phone = await subscribe(outside)
    signer = pusher._signer
    first = signer.header(phone.endpoint)
    assert signer.header(phone.endpoint) is first
    assert signer.header("https://fcm.googleapis.com/x") != first
    push_crypto.check_sender(first, audience=outside.url, server_key=pusher.public_key)
    for audience, key in ((outside.url, "other"), ("https://elsewhere.example", "")):
        with pytest.raises(push_crypto.NotOurSender):
            push_crypto.check_sender(first, audience=audience, server_key=key)
    clock.advance(timedelta(hours=10, minutes=50))
    assert signer.header(phone.endpoint) is first
    clock.advance(timedelta(minutes=20))
    assert signer.header(phone.endpoint) != first
    clock.set(now() - timedelta(days=2))
    assert signer.header(phone.endpoint) != first, "signed by a clock that was ahead"


# --- What push services answer --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "failure", "status"),
    [
        ("status_404", OutsideGone, 404),
        ("status_410", OutsideGone, 410),
        ("status_307", OutsideRefused, 307),
    ],
)
async def test_answers_that_end_a_notice(
    outside: Outside, pusher: WebPush, fault: str, failure: type[OutsideRefused], status: int
) -> None:
    phone = await subscribe(outside)
    await outside.fault(system="push", kind=fault, count=1)
    with pytest.raises(failure) as refused:
        await pusher.send(phone, a_notice())
    assert type(refused.value) is failure
    assert refused.value.facts["http_status"] == status
    assert await received(outside, phone) == []
    await pusher.send(phone, a_notice())
    assert len(await received(outside, phone)) == 1


async def test_answers_after_which_it_is_tried_again(outside: Outside, pusher: WebPush) -> None:
    phone = await subscribe(outside)
    for fault, wait in (("status_429", 1), ("status_500", None)):
        await outside.fault(system="push", kind=fault, count=1)
        with pytest.raises(OutsideUnavailable) as busy:
            await pusher.send(phone, a_notice())
        assert busy.value.facts["wait"] == wait
    hasty = WebPush(KEY, SUBJECT, total_seconds=0.2)
    for fault, arrives in (("timeout_without_effect", 0), ("timeout_after_success", 1)):
        await outside.fault(system="push", kind=fault, count=1, delay_seconds=0.5)
        with pytest.raises(OutsideUnavailable):
            await hasty.send(phone, a_notice())
        assert len(await received(outside, phone)) == arrives
    gone = await subscribe(outside)
    await outside.http.delete(f"/push-subscriptions/{gone.endpoint.rpartition('/')[2]}")
    with pytest.raises(OutsideGone):
        await pusher.send(gone, a_notice())


def test_a_wait_is_read_in_seconds_or_as_a_date_and_is_bounded() -> None:
    assert web_push._seconds("7") == 7
    assert web_push._seconds("9" * 400) == web_push.LONGEST_WAIT
    assert web_push._seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert web_push._seconds("soon") is None and web_push._seconds(None) is None


async def test_nothing_is_sent_inside_a_transaction(pusher: WebPush) -> None:
    async with core_db.unit_of_work():
        with pytest.raises(CalledInTransaction):
            await pusher.send(an_address(), a_notice())


# --- What must never be called --------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/push",
        "http://fcm.googleapis.com/push",
        "https://fcm.googleapis.com:8443/push",
        "https://fcm.googleapis.com.evil.example/push",
        "https://evilfcm.googleapis.com/push",
        "https://notify.windows.com.evil.example/x",
        "https://xnotify.windows.com/x",
        "https://fcm.googleapis.com@evil.example/push",
        "https://evil.example\\@fcm.googleapis.com/push",
        "https://127.0.0.1/push",
        "https://[::1]/push",
        "https://169.254.169.254/latest",
        "https://localhost/push",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com",
        "file:///etc/passwd",
        "",
    ],
)
async def test_other_hosts_and_private_addresses_are_refused(endpoint: str) -> None:
    pusher = WebPush(KEY, SUBJECT)
    address = an_address()
    hostile = PushAddress(endpoint=endpoint, p256dh=address.p256dh, auth=address.auth)
    with pytest.raises(PushServiceUnknown):
        pusher.check(hostile)
    with pytest.raises(OutsideRefused):
        await pusher.send(hostile, a_notice())


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:APA91b",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://web.push.apple.com/QGuQyavXutnMH",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2b",
    ],
)
def test_the_push_services_of_browsers_are_taken(endpoint: str) -> None:
    WebPush(KEY, SUBJECT).check(an_address(endpoint))


async def test_a_known_name_that_leads_to_a_private_address_is_not_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def poisoned(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", poisoned)
    with pytest.raises(OutsideRefused, match="not public"):
        await WebPush(KEY, SUBJECT).send(an_address(), a_notice())
    await web_push.close()


def test_keys_that_lie_on_no_curve_are_refused() -> None:
    good = an_address()
    for point in (b"\4" + b"\1" * 64, b"\0" * 65, good.p256dh[:64]):
        with pytest.raises(PushKeysNotValid):
            WebPush(KEY, SUBJECT).check(
                PushAddress(endpoint=good.endpoint, p256dh=point, auth=good.auth)
            )


# --- Settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["mailto:ops@company.com", "https://company.com/push"])
def test_subjects_that_exist(subject: str) -> None:
    check_subject(subject)


@pytest.mark.parametrize(
    "subject",
    ["", "ops@company.com", "mailto:", "mailto:ops", "mailto:ops@localhost", "mailto:a@b.test",
     "http://company.com", "https://localhost", "https://", "tel:112"],
)  # fmt: skip
def test_subjects_that_apple_would_refuse_start_nothing(subject: str) -> None:
    with pytest.raises(BadVapidSettings):
        WebPush(KEY, subject)


def test_the_key_is_read_from_itself_or_from_a_file_and_never_made_up(tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    raw = private.private_numbers().private_value.to_bytes(32)
    file = tmp_path / "vapid"
    keys = set()
    for content in (pem.decode(), push_crypto.encode(der), push_crypto.encode(raw) + "\n"):
        file.write_text(content)
        keys.add(VapidSigner(str(file), SUBJECT).public_key)
    keys.add(VapidSigner(push_crypto.encode(raw), SUBJECT).public_key)
    assert len(keys) == 1 and len(decode(keys.pop())) == 65
    missing = tmp_path / "missing"
    p384 = ec.generate_private_key(ec.SECP384R1())
    other = p384.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for bad in (str(missing), "short", "", push_crypto.encode(other), "A" * 43):
        with pytest.raises(BadVapidSettings):
            VapidSigner(bad, SUBJECT)
    assert not missing.exists()


def test_what_the_demo_makes_up_is_a_key() -> None:
    made = backing.SECRETS["VAPID_PRIVATE_KEY"].format(secrets.token_urlsafe(32))
    assert len(decode(WebPush(made, backing.SECRETS["VAPID_SUBJECT"]).public_key)) == 65


def test_without_a_key_push_is_off_and_with_a_bad_one_nothing_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert WebPush.configured() is None
    try:
        monkeypatch.setenv("VAPID_PRIVATE_KEY", KEY)
        settings_module.reload()
        with pytest.raises(BadVapidSettings):
            WebPush.configured()
        monkeypatch.setenv("VAPID_SUBJECT", SUBJECT)
        settings_module.reload()
        assert WebPush.configured() is not None
    finally:
        monkeypatch.undo()
        settings_module.reload()
