"""Pure decisions of push: which kinds of news there are, what a lock screen says, how it travels.

The texts are data, one file, looked at when the program starts. They have no places to fill in, so
that no name, address or number can ever come to a lock screen.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib import resources
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from msgspec import Meta

from doorstep.ports.push import Urgency

LANGUAGES = ("en", "hi", "ar", "ur", "ml", "bn")
"""Of the field app."""

RIGHT_TO_LEFT = frozenset({"ar", "ur"})

MOST_BYTES = 2000
"""Push services cut at about 4 kB of what is encrypted."""

FIELD_APP = "/app/"
"""Where the field app lies on our own address; it opens the job of a lane by itself."""

DECLARATIVE = 8030
"""Marks a declarative message: a browser that knows these shows it even without a service worker."""

SILENT_FOR = timedelta(minutes=10)
"""A phone that was told so long ago and has not said that it showed it counts as out of reach."""


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands on the lock screen."""

    title: Annotated[str, Meta(min_length=1, max_length=50)]
    body: Annotated[str, Meta(min_length=1, max_length=160)]


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of news: how it travels, how long it is news, and its words by language."""

    urgency: Urgency
    ttl_minutes: Annotated[int, Meta(ge=10, le=1440)]
    texts: dict[str, Words]


class BadKinds(ValueError):
    """A kind lacks a language, or has a place to fill in; nothing starts."""


class UnknownKind(KeyError):
    """No such kind of news is declared: a programming error."""


def check(kinds: Mapping[str, Kind]) -> None:
    """Refuse kinds that somebody could not read, or that could tell too much. Raises: BadKinds."""
    for name, kind in kinds.items():
        if set(kind.texts) != set(LANGUAGES):
            raise BadKinds(f"{name} lacks a language, or has one too many")
        if any("{" in words.title + words.body for words in kind.texts.values()):
            raise BadKinds(f"{name} has a place to fill in")


def _load() -> dict[str, Kind]:
    found = resources.files(__package__).joinpath("kinds.json").read_bytes()
    kinds = msgspec.json.decode(found, type=dict[str, Kind])
    check(kinds)
    return kinds


KINDS = _load()


def kind(name: str) -> Kind:
    """Find a kind of news. Raises: UnknownKind."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKind(name) from None


def language_of(languages: Sequence[str]) -> str:
    """Pick the first of a person's languages that texts are written in, or English."""
    return next((one for one in languages if one in LANGUAGES), "en")


def topic(lane: str) -> str:
    """Name a lane to push services: of what waits there for one topic, only the last is delivered."""
    return base64.urlsafe_b64encode(hashlib.sha256(lane.encode()).digest())[:32].decode()


def payload(message_id: UUID, name: str, lane: str, language: str, *, base_url: str) -> bytes:
    """Write a message as the phone gets it: declarative, and `mutable` for our service worker.

    Shape: {web_push, mutable, notification: {title, body, lang, dir, tag, renotify, navigate,
    data: {id, kind, lane}}}. The same lane has the same tag, so a later one replaces it.
    """
    words = kind(name).texts[language]
    seen: dict[str, Any] = {
        "title": words.title,
        "body": words.body,
        "lang": language,
        "dir": "rtl" if language in RIGHT_TO_LEFT else "ltr",
        "tag": lane,
        "renotify": True,
        "navigate": base_url.rstrip("/")
        + FIELD_APP
        + "?"
        + urlencode({"lane": lane, "push": message_id}),
        "data": {"id": message_id, "kind": name, "lane": lane},
    }
    return msgspec.json.encode({"web_push": DECLARATIVE, "mutable": True, "notification": seen})
