"""Reading an order through its link: one statement, and a shared one when the answer is at hand."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.together import Together
from doorstep.doors.track import sql
from doorstep.doors.track.schemas import Detour, Facts, ParcelFacts, TrackedParcel, Tracking
from doorstep.journey import DETOURS
from doorstep.journey.timeline import delivered_words, describe_milestones, detour_words, timeline

DELIVERED, INSTALLED, RATED = 1013, 1015, 1016

REMEMBERED = 4096
"""Answers kept per process; each is used again only while the database names its version."""

# New words after an update are news to a page that has the old ones.
_WORDS = hashlib.sha256(msgspec.json.encode(describe_milestones())).hexdigest()[:8]

_decode = msgspec.json.Decoder(Facts).decode
_encode = msgspec.json.Encoder().encode


class Read(NamedTuple):
    """What the customer gets; without a body he has it already."""

    etag: str
    body: bytes | None


class _Memory:
    """The last answers of this process, the longest unused one goes first."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[bytes, str], tuple[int, bytes]] = OrderedDict()

    def recall(self, key: tuple[bytes, str]) -> tuple[int, bytes] | None:
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def keep(self, key: tuple[bytes, str], version: int, body: bytes) -> None:
        self._answers[key] = (version, body)
        self._answers.move_to_end(key)
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)


_memory = _Memory()


async def _newest(token_hashes: Sequence[bytes]) -> Sequence[int | None]:
    """Read the versions of what links open; None for a link that opens nothing."""
    found = await db.rows(sql.NEWEST, token_hashes, now())
    versions = {row["token_hash"]: row["version"] for row in found}
    return [versions.get(token_hash) for token_hash in token_hashes]


_newest_of = Together(_newest)


async def read(token_hash: bytes, language: str | None, if_none_match: str) -> Read | None:
    """Read what a link shows, in a language or the order's own; None for a link that opens nothing.

    `if_none_match` is the header of a page that has an answer already: then its version is all that
    is asked for, together with that of others who ask just now.
    """
    key = (token_hash, language or "")
    kept = _memory.recall(key)
    known = _versions(if_none_match, language)
    if known or kept:
        newest = await _newest_of.ask(token_hash)
        if newest is None:
            return None
        if newest in known:
            return Read(_etag(newest, language), None)
        if kept and newest == kept[0]:
            return Read(_etag(newest, language), kept[1])
    found = await db.row(sql.READ, token_hash, now(), language)
    if found is None:
        return None
    version: int = found["version"]
    body = _encode(tracking_of(_decode(found["facts"])))
    _memory.keep(key, version, body)
    return Read(_etag(version, language), body)


def _etag(version: int, language: str | None) -> str:
    return f'"{version}{_suffix(language)}'


def _suffix(language: str | None) -> str:
    return f'-{language or "own"}-{_WORDS}"'


def _versions(if_none_match: str, language: str | None) -> list[int]:
    """List the versions that a page has in this language and these words."""
    suffix = _suffix(language)
    found = []
    for tag in if_none_match.split(","):
        version = tag.strip().removeprefix("W/").removeprefix('"').removesuffix(suffix)
        # Longer ones were not made here and would not fit the database's number.
        if tag.strip().endswith(suffix) and version.isdecimal() and len(version) < 16:
            found.append(int(version))
    return found


def tracking_of(facts: Facts) -> Tracking:
    """Say what the facts of an order mean for its customer."""
    parcels = [_parcel(parcel, facts) for parcel in facts.parcels]
    living = [parcel for parcel in parcels if parcel.ended_as is None]
    delivered = sum(
        any(step.stage == DELIVERED for step in parcel.reached) for parcel in facts.parcels
    )
    return Tracking(
        order_number=facts.order_number,
        placed_at=facts.placed_at,
        language=facts.language,
        progress=min(parcel.progress for parcel in living or parcels),
        delivered=delivered,
        total=len(parcels),
        words=delivered_words(delivered, len(parcels), facts.language),
        parcels=parcels,
    )


def _parcel(parcel: ParcelFacts, facts: Facts) -> TrackedParcel:
    settled = {step.stage for step in parcel.reached}
    asked = [d for d in parcel.detours if "customer" in DETOURS[d.kind].accepted_by]
    owing = msgspec.structs.replace(
        parcel,
        currency=facts.currency,
        at_door_minor=facts.at_door_minor,
        paid_minor=facts.paid_minor,
    )
    return TrackedParcel(
        parcel=parcel.parcel,
        progress=min([parcel.progress, *(detour.progress for detour in parcel.detours)]),
        detours=_detours(parcel, facts.language),
        ended_as=parcel.ended_as,
        awb=parcel.awb,
        lines=parcel.lines,
        milestones=timeline(parcel.reached, owing, facts.language),
        may_rate=INSTALLED in settled and RATED not in settled,
        rated=RATED in settled,
        may_accept=any(d.expected_on is not None and not d.accepted for d in asked),
        may_cancel=bool(asked),
        certificates=parcel.certificates,
    )


def _detours(parcel: ParcelFacts, language: str) -> list[Detour]:
    """List what the customer is told, the newest first."""
    return [
        Detour(
            kind=detour.kind,
            sentence=words,
            since=detour.at,
            expected_on=detour.expected_on,
            accepted=detour.accepted,
        )
        for detour in parcel.detours
        if (
            words := detour_words(
                detour.kind, language, detour.expected_on, accepted=detour.accepted
            )
        )
    ]
