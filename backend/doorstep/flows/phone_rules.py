"""What is wrong with a phone, in plain words, and what to do about it: decisions alone.

The first that holds is the word for the phone: they stand in the order in which work is in danger.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from doorstep.core.app_versions import is_older

SILENT_AFTER = timedelta(hours=4)
"""A phone at work that is not heard for longer: no run is that long without any signal."""

Work = Literal["shift", "visit", "run", "manifest", "floor", "active"]
"""Why a phone is at work today: an open shift, a visit, a run, parcels to pick up, a place where its person
works, or only that it was heard (`flows/phone_work.py`)."""

MISSED = {
    "shift": "Its shift is open",
    "visit": "A visit of its technician has begun",
    "run": "Its run is under way",
    "manifest": "Parcels wait to be picked up",
    "floor": "It was at work today, the end of the shift was not answered,",
}
"""What makes silence a matter; whoever has only been heard today may have gone home."""

TOLD = ("shift", "visit", "run", "manifest")
"""Work of which the office tells by push."""
WAITS_LONG = timedelta(hours=2)
LOSES_WORK_AFTER = timedelta(hours=24)
CLOCK_OFF_MS = 5 * 60_000
STORAGE_FULL = 0.8
PUSH_DEAD_AFTER = timedelta(hours=24)
PLACES_LOST_FOR = timedelta(hours=24)
"""So long it is a matter that places could not be read."""


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A phone as it last told, and as it was last heard."""

    work: Work | None
    """None: nothing today, as far as anybody knows."""
    work_since: datetime | None = None
    """None: it has not begun."""
    heard_at: datetime
    app_version: str
    entries: int = 0
    pictures: int = 0
    quarantined: int = 0
    oldest_at: datetime | None = None
    storage_used: int | None = None
    storage_quota: int | None = None
    clock_offset_ms: int | None = None
    places_unreadable_at: datetime | None = None
    push_subscribed: bool | None = None
    """None: this installation sends no notifications."""
    push_silent_since: datetime | None = None


class Trouble(NamedTuple):
    """Something that is wrong: its name, and for people what it is and what helps."""

    name: str
    words: str
    remedy: str


def troubles(phone: Phone, moment: datetime, *, oldest_version: str) -> list[Trouble]:
    """Tell all that is wrong with a phone, what is worst first; nothing where all is well."""
    return list(_found(phone, moment, oldest_version))


def _found(phone: Phone, moment: datetime, oldest_version: str) -> Iterator[Trouble]:
    if phone.quarantined:
        yield Trouble(
            "quarantine",
            f"{phone.quarantined} capture(s) or picture(s) on it do not go through as they are.",
            "Open the list of what needs attention on the phone with its owner, and send it again"
            " or note by hand what it says.",
        )
    waits = None if phone.oldest_at is None else moment - phone.oldest_at
    if waits is not None and waits > WAITS_LONG:
        yield Trouble(
            "waiting",
            f"{_amount(phone)} wait(s) on it, the oldest for {_time(waits)}.",
            "Have the app opened where there is a signal, until it says that all is confirmed.",
        )
    if _is_missed(phone, moment):
        yield Trouble(
            "silent",
            f"{MISSED[phone.work or 'floor']} and it was not heard for {_time(moment - phone.heard_at)}.",
            "Call its owner, and have the app opened with a signal.",
        )
    if is_older(phone.app_version, oldest_version):
        yield Trouble(
            "old_version",
            f"It runs version {phone.app_version}, which may not sync any more"
            f" (oldest: {oldest_version}).",
            "Have the app closed and opened with a signal: it updates itself and then sends.",
        )
    used, quota = phone.storage_used, phone.storage_quota
    if used is not None and quota and used > STORAGE_FULL * quota:
        yield Trouble(
            "storage",
            f"{100 * used // quota} % of its storage is used.",
            "Have photos and apps that are not needed deleted; what was captured stays.",
        )
    if phone.clock_offset_ms is not None and abs(phone.clock_offset_ms) > CLOCK_OFF_MS:
        off = timedelta(milliseconds=abs(phone.clock_offset_ms))
        ahead = "ahead" if phone.clock_offset_ms > 0 else "behind"
        yield Trouble(
            "clock",
            f"Its clock is {_time(off)} {ahead}.",
            "Have date and time set to automatic; captures keep a time of our own beside it.",
        )
    unread = phone.places_unreadable_at
    if unread is not None and moment - unread < PLACES_LOST_FOR:
        yield Trouble(
            "places",
            f"It has told places that cannot be read, the last {_time(moment - unread)} ago.",
            "Have the app closed and opened with a signal, so that it updates itself; no capture is lost.",
        )
    yield from _push(phone, moment)


def _is_missed(phone: Phone, moment: datetime) -> bool:
    if phone.work not in MISSED or phone.work_since is None:
        return False
    return moment - max(phone.heard_at, phone.work_since) > SILENT_AFTER


def _push(phone: Phone, moment: datetime) -> Iterator[Trouble]:
    since = phone.push_silent_since
    if phone.push_subscribed is False and phone.work in TOLD:
        yield Trouble(
            "push_off",
            "It cannot be told of news: it takes no notifications.",
            "Have notifications allowed in the app; until then tell its owner of changes by phone.",
        )
    elif phone.push_subscribed and since is not None and moment - since > PUSH_DEAD_AFTER:
        yield Trouble(
            "push_dead",
            f"For {_time(moment - since)} it has shown nothing of what it was told.",
            "Have notifications allowed and saving of battery ended for the app, then sign in anew.",
        )


def loses_work(phone: Phone, moment: datetime) -> dict[str, str]:
    """Tell which problems a desk must have, by kind, and why: these may cost what was done."""
    found = {}
    if phone.quarantined:
        found["captures_quarantined"] = f"{phone.quarantined} on it do not go through as they are."
    waits = None if phone.oldest_at is None else moment - phone.oldest_at
    if phone.work is not None and waits is not None and waits > LOSES_WORK_AFTER:
        found["captures_waiting"] = f"{_amount(phone)}, the oldest for {_time(waits)}."
    return found


def _amount(phone: Phone) -> str:
    return f"{phone.entries} capture(s) and {phone.pictures} picture(s)"


def _time(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    if minutes < 2 * 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 3 * 24 * 60 else f"{minutes // (24 * 60)} days"
