"""The pretend messaging provider: takes every message and shows what people would have received."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any
from uuid import uuid4

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.params import FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_401_UNAUTHORIZED
from msgspec import Meta

from doorstep.core import clock
from doorstep.sandbox.world import Here, World

Text = Annotated[str, Meta(max_length=10_000)]
MOST = 20_000
"""Messages that one answer lists."""


class Outgoing(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A message as Doorstep hands it over."""

    channel: Annotated[str, Meta(min_length=1, max_length=30)]
    to: Annotated[str, Meta(min_length=1, max_length=255)]
    subject: Text
    body: Text
    language: Annotated[str, Meta(max_length=10)]


class Taken(msgspec.Struct):
    """The provider's id of the message."""

    id: str


class Sent(msgspec.Struct):
    """A message that its recipient has; `requests` counts how often it was handed over."""

    id: str
    channel: str
    to: str
    subject: str
    body: str
    language: str
    sent_at: str
    requests: int
    provider: str
    reference: str
    """Our own number of it, where the provider was told."""
    reports: str
    """What the provider has said of it, in that order."""


@post("/messages", status_code=HTTP_200_OK)
async def take_message(
    request: Request[Any, Any, Any], world: Here, data: JSONBody[Outgoing]
) -> Response[Taken]:
    """Deliver the message once per Idempotency-Key."""
    if not world.may_send_messages(request.headers.get("authorization", "")):
        return Response(Taken(id=""), status_code=HTTP_401_UNAUTHORIZED)
    row = world.store.row(
        "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) "
        "ON CONFLICT (idempotency_key) DO UPDATE SET requests = requests + 1 RETURNING id",
        (
            f"msg_{uuid4().hex}",
            request.headers.get("idempotency-key"),
            data.channel,
            data.to,
            data.subject,
            data.body,
            data.language,
            clock.now().isoformat(),
        ),
    )
    return Response(Taken(id=str(row["id"]) if row else ""), status_code=HTTP_200_OK)


def _sent(world: World, to: str) -> list[Sent]:
    rows = world.store.rows(
        "SELECT m.id, channel, recipient AS 'to', subject, body, language, sent_at, requests, "
        "coalesce(h.provider, 'sandbox') AS provider, coalesce(h.reference, '') AS reference, "
        "coalesce((SELECT group_concat(status, ', ') FROM (SELECT status FROM message_reported r "
        "WHERE r.message_id = m.id ORDER BY r.id)), '') AS reports "
        "FROM message m LEFT JOIN message_handed h ON h.message_id = m.id "
        "WHERE ? IN ('', recipient) ORDER BY sent_at DESC LIMIT ?",
        (to, MOST),
    )
    return msgspec.convert(rows, list[Sent])


@get("/messages")
async def list_messages(world: Here, to: FromQuery[str] = "") -> list[Sent]:
    """List the messages, newest first, of one recipient or of all."""
    return _sent(world, to)


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Messages sent</title>
<style>body{{font:16px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}}
article{{border-top:1px solid #bbb;padding:.75rem 0}}p{{white-space:pre-wrap;margin:.25rem 0}}
small{{color:#555}}</style><h1>Messages sent</h1><p>What customers, vendors and crews would have
received; newest first.</p>{articles}</html>"""
_ARTICLE = """<article lang="{language}"><small>{sent_at} · {channel} · {to} · {provider}: {state}</small>
<h2 dir="auto">{subject}</h2><p dir="auto">{body}</p></article>"""


@get("/", media_type=MediaType.HTML)
async def show_messages(world: Here) -> str:
    """Show the messages as a page."""
    articles = [
        _ARTICLE.format(
            state=escape(sent.reports or "taken"),
            **{name: escape(str(text)) for name, text in msgspec.structs.asdict(sent).items()},
        )
        for sent in _sent(world, "")[:200]
    ]
    return _PAGE.format(articles="\n".join(articles) or "<p>None yet.</p>")


ROUTES = [take_message, list_messages, show_messages]
