"""The pretend push service (RFC 8030), and the browser behind it that subscribes and decrypts.

A phone here is off until it is asked for its messages: until then a message replaces the one before
it of the same topic, and one whose time is over is dropped.
"""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT
from msgspec import Meta

from doorstep.core import clock
from doorstep.sandbox import push_crypto
from doorstep.sandbox.world import Here

MOST_BYTES = 4096
TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
URGENCIES = ("very-low", "low", "normal", "high")
BAD, FORBIDDEN, MISSING, GONE, TOO_LARGE = 400, 403, 404, 410, 413


class Subscribe(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a page gives to `pushManager.subscribe`; without a key any sender is taken."""

    application_server_key: Annotated[str, Meta(max_length=100)] = ""


class Subscription(msgspec.Struct):
    """What the browser gives back, as `PushSubscription.toJSON` writes it."""

    endpoint: str
    expirationTime: int | None
    keys: dict[str, str]


class Delivered(msgspec.Struct):
    """A message as it comes to the service worker; `requests` counts how often it was handed in."""

    endpoint: str
    message: Any
    topic: str | None
    urgency: str
    ttl: int
    requests: int


def _origin(request: Request[Any, Any, Any]) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


@post("/push-subscriptions", status_code=HTTP_201_CREATED)
async def subscribe(
    request: Request[Any, Any, Any], world: Here, data: JSONBody[Subscribe]
) -> Subscription:
    """Subscribe a phone."""
    token, reader = secrets.token_urlsafe(24), push_crypto.new_reader(secrets.token_bytes(16))
    world.store.run(
        "INSERT INTO push_subscription (token, server_key, private_key, auth) VALUES (?, ?, ?, ?)",
        (
            token,
            data.application_server_key,
            push_crypto.private_text(reader),
            push_crypto.encode(reader.auth),
        ),
    )
    keys = {"p256dh": push_crypto.encode(reader.p256dh), "auth": push_crypto.encode(reader.auth)}
    return Subscription(f"{_origin(request)}/push/{token}", None, keys)


@delete("/push-subscriptions/{token:str}", status_code=HTTP_204_NO_CONTENT)
async def unsubscribe(world: Here, token: FromPath[str]) -> None:
    """End a subscription in the browser, as clearing its data does: it is gone from then on."""
    world.store.run("UPDATE push_subscription SET ended = 1 WHERE token = ?", (token,))


@post("/push/{token:str}")
async def take_push(
    request: Request[Any, Any, Any], world: Here, token: FromPath[str]
) -> Response[str]:
    """Take a message for a phone, as push services do; refusals say what was wrong."""
    row = world.store.row("SELECT * FROM push_subscription WHERE token = ?", (token,))
    if row is None or row["ended"]:
        return Response("no such subscription", status_code=GONE if row else MISSING)
    try:
        push_crypto.check_sender(
            request.headers.get("authorization", ""),
            audience=_origin(request),
            server_key=row["server_key"],
        )
    except push_crypto.NotOurSender as stranger:
        return Response(str(stranger), status_code=FORBIDDEN)
    topic, urgency = request.headers.get("topic"), request.headers.get("urgency", "normal")
    ttl, body = request.headers.get("ttl", ""), await request.body()
    wrong = _wrong(ttl, topic, urgency, request.headers.get("content-encoding"))
    if wrong:
        return Response(wrong, status_code=BAD)
    if len(body) > MOST_BYTES:
        return Response("too large", status_code=TOO_LARGE)
    try:
        plain = push_crypto.reader_of(row["private_key"], row["auth"]).decrypt(body)
    except push_crypto.NotDecryptable as failed:
        return Response(str(failed), status_code=BAD)
    kept = world.store.run(
        "INSERT INTO push_message (token, topic, urgency, ttl, body, taken_at, requests)"
        " VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT (token, topic) DO UPDATE SET"
        " urgency = excluded.urgency, ttl = excluded.ttl, body = excluded.body,"
        " taken_at = excluded.taken_at, requests = requests + 1",
        (token, topic, urgency, int(ttl), plain.decode(), clock.now().timestamp()),
    )
    headers = {"Location": f"{_origin(request)}/push-messages/{kept}", "TTL": ttl}
    return Response("", status_code=HTTP_201_CREATED, headers=headers)


def _wrong(ttl: str, topic: str | None, urgency: str, encoding: str | None) -> str:
    if not ttl.isdigit():
        return "a TTL is needed"
    if topic is not None and not TOPIC.fullmatch(topic):
        return "not a topic"
    if urgency not in URGENCIES:
        return "not an urgency"
    return "" if encoding == "aes128gcm" else "not aes128gcm"


@post("/push-messages", status_code=HTTP_200_OK)
async def receive_pushes(
    request: Request[Any, Any, Any], world: Here, endpoint: FromQuery[str] = ""
) -> list[Delivered]:
    """Switch a phone on, or all of them: it gets what waits for it, decrypted, and gets it once."""
    rows = world.store.rows(
        "DELETE FROM push_message WHERE ? IN ('', ? || token) RETURNING *",
        (endpoint, f"{_origin(request)}/push/"),
    )
    return [
        Delivered(
            endpoint=f"{_origin(request)}/push/{row['token']}",
            message=msgspec.json.decode(row["body"]),
            topic=row["topic"],
            urgency=row["urgency"],
            ttl=row["ttl"],
            requests=row["requests"],
        )
        for row in sorted(rows, key=lambda row: row["id"])
        if row["taken_at"] + row["ttl"] > clock.now().timestamp()
    ]


ROUTES = [subscribe, unsubscribe, take_push, receive_pushes]
