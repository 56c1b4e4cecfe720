"""A good request, and what becomes of it byte by byte: its body, its path, its query, its headers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.contract.routes import ROUTES

Damage = Callable[[random.Random, bytearray], None]


def _flip(dice: random.Random, body: bytearray) -> None:
    body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)


def _cut(dice: random.Random, body: bytearray) -> None:
    del body[dice.randrange(len(body)) :]


def _drop(dice: random.Random, body: bytearray) -> None:
    at = dice.randrange(len(body))
    del body[at : at + dice.randrange(1, 20)]


def _double(dice: random.Random, body: bytearray) -> None:
    at = dice.randrange(len(body))
    body[at:at] = body[at : at + dice.randrange(1, 40)]


def _insert(dice: random.Random, body: bytearray) -> None:
    at = dice.randrange(len(body))
    body[at:at] = dice.choice(TOKENS)


def _value(dice: random.Random, body: bytearray) -> None:
    """Put something else where a value stands."""
    colons = [at for at, byte in enumerate(body) if byte in b":,["]
    at = dice.choice(colons or [0]) + 1
    end = at
    while end < len(body) and body[end] not in b",}]":
        end += 1
    body[at:end] = dice.choice(TOKENS)


TOKENS = [
    b"\x00", b'"\\u0000"', b"\xff\xfe", b"\xed\xa0\x80", b'"\\ud800"', b"1e999", b"-1", b"0.5",
    str(2**70).encode(), b"-9223372036854775809", b"null", b"true", b"[]", b"{}", b'""',
    b"[" * 3000, b'{"a":' * 3000, b'"' + b"x" * 20_000 + b'"', b'"2026-11-23T10:00:00"',
    b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:59-14:00"', b"NaN",
    '"١٢٣"'.encode(), b'"; DROP TABLE stock; --"', b"\xef\xbb\xbf",
]  # fmt: skip
DAMAGES: list[Damage] = [_flip, _cut, _drop, _double, _insert, _value, _value, _value]


@dataclass(frozen=True)
class Good:
    """A request that may well be right, in pieces that can be damaged."""

    name: str
    method: str
    parts: tuple[str, ...]
    """The segments of its path, not quoted."""
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


def damaged(dice: random.Random, good: Good) -> Good:
    """Damage the body of a request, else its path, its query or a header."""
    chance = dice.random()
    if good.body and chance < 0.8:
        body = bytearray(good.body)
        for _ in range(dice.choice((1, 1, 2, 4))):
            if body:
                dice.choice(DAMAGES)(dice, body)
        return replace(good, body=bytes(body))
    if good.query and chance < 0.9:
        at = dice.randrange(len(good.query))
        query = list(good.query)
        query[at] = (query[at][0], text_damaged(dice, query[at][1]))
        return replace(good, query=tuple(query))
    if good.headers and chance < 0.3:
        at = dice.randrange(len(good.headers))
        headers = list(good.headers)
        headers[at] = (
            headers[at][0],
            text_damaged(dice, headers[at][1].decode("latin-1")).encode()[:4000],
        )
        return replace(good, headers=tuple(headers))
    # A word of the path that is not a name only shows that there is no such route.
    template = ROUTES[good.name][1].split("/") if good.name else []
    named = [n for n, part in enumerate(template[: len(good.parts)]) if part.startswith("{")]
    if not named and dice.random() < 0.9:
        return good
    at = dice.choice(named or range(1, len(good.parts)))
    parts = list(good.parts)
    parts[at] = text_damaged(dice, parts[at])
    return replace(good, parts=tuple(parts))


def text_damaged(dice: random.Random, text: str) -> str:
    if dice.random() < 0.4 or not text:
        return dice.choice(TOKENS)[:2000].decode("latin-1")
    body = bytearray(text.encode())
    dice.choice(DAMAGES[:5])(dice, body)
    return bytes(body[:2000]).decode("latin-1")
