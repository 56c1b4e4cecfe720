"""Places in the code at which a test lets this process crash, end or stand still.

`failpoint("outbox.before_done")` costs one look at a variable while nothing is armed. A test in
this process arms it with `observed`. A process of its own is armed by `DOORSTEP_FAILPOINTS`, which
`start` refuses wherever anybody but this machine could be served.

Rules are separated by commas: `name=action`, `name=action@n` for the n-th pass alone, `*` for any
name. The actions are `crash` (raises `Crashed`), `exit` (ends the process as a kill does) and
`sleep:seconds` (the whole process stands still). The word `on` alone arms nothing; it lets
`DOORSTEP_CLOCK_SKEW` count.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

import structlog

from doorstep.core import clock
from doorstep.settings import Settings

ON = "on"
STATUS = 70
"""The exit status of a process that a failpoint has ended."""

log = structlog.get_logger(__name__)

Observer = Callable[[str], object]

_observer: Observer | None = None


class Crashed(BaseException):
    """This process is as good as dead. No `except Exception` may go on from here."""


class FailpointsInProduction(RuntimeError):
    """Failpoints or a clock skew are set where a customer could be served."""


class UnreadableFailpoint(ValueError):
    """A rule of `DOORSTEP_FAILPOINTS` is not `name=action` or `name=action@n`."""


def failpoint(name: str) -> None:
    """Let a test strike here. Nothing happens unless one has armed the failpoints."""
    if _observer is not None:
        _observer(name)


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Tell the observer every failpoint that this process passes in the block; it may raise."""
    global _observer  # noqa: PLW0603 - a process crashes as a whole, so it has one observer.
    before, _observer = _observer, observer
    try:
        yield
    finally:
        _observer = before


def start(given: Settings) -> None:
    """Arm what the settings name, in a process that is beginning its work.

    Raises: FailpointsInProduction; UnreadableFailpoint.
    """
    global _observer  # noqa: PLW0603 - see observed.
    if not given.doorstep_failpoints:
        if given.doorstep_clock_skew:
            raise FailpointsInProduction("DOORSTEP_CLOCK_SKEW needs DOORSTEP_FAILPOINTS.")
        return
    if not given.serves_this_machine_only:
        raise FailpointsInProduction(
            "DOORSTEP_FAILPOINTS works only with COOKIE_SECURE=false and a PUBLIC_URL on loopback."
        )
    clock.set_skew(timedelta(seconds=given.doorstep_clock_skew))
    if rules := parse(given.doorstep_failpoints):
        _observer = Armed(rules)
    log.warning("failpoints.armed", rules=given.doorstep_failpoints, skew=given.doorstep_clock_skew)


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens at which failpoints: at each pass, or at the `nth` alone."""

    pattern: str
    act: Callable[[str], object]
    nth: int | None = None


def parse(text: str) -> list[Rule]:
    """Read the rules of `DOORSTEP_FAILPOINTS`.

    Raises: UnreadableFailpoint.
    """
    return [_rule(word.strip()) for word in text.split(",") if word.strip() not in ("", ON)]


def _rule(word: str) -> Rule:
    pattern, _, action = word.partition("=")
    action, at, nth = action.partition("@")
    kind, _, seconds = action.partition(":")
    try:
        return Rule(pattern, _ACTIONS[kind](seconds), int(nth) if at else None)
    except (KeyError, ValueError) as wrong:
        raise UnreadableFailpoint(word) from wrong


class Armed:
    """The observer of a process that was armed by its environment."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules = rules
        self._passes = [0] * len(rules)

    def __call__(self, name: str) -> None:
        """Count the pass and do what the rules say."""
        for number, rule in enumerate(self._rules):
            if not fnmatchcase(name, rule.pattern):
                continue
            self._passes[number] += 1
            if rule.nth in (None, self._passes[number]):
                rule.act(name)


def _crash(_seconds: str) -> Callable[[str], object]:
    def crash(name: str) -> object:
        raise Crashed(name)

    return crash


def _exit(_seconds: str) -> Callable[[str], object]:
    return lambda _name: os._exit(STATUS)


def _sleep(seconds: str) -> Callable[[str], object]:
    pause = float(seconds)
    return lambda _name: time.sleep(pause)


_ACTIONS: dict[str, Callable[[str], Callable[[str], object]]] = {
    "crash": _crash,
    "exit": _exit,
    "sleep": _sleep,
}
