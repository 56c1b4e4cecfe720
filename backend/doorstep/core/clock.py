"""The one place that knows what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from doorstep.settings import Settings

_offset = timedelta()
_skew = timedelta()


class ClockMovedInProduction(RuntimeError):
    """The clock is set ahead where a customer could be served."""


def now() -> datetime:
    """Tell the present moment, aware and in UTC, moved by the offset that was set."""
    return datetime.now(UTC) + _offset + _skew


def offset() -> timedelta:
    """Tell how far `now` is moved from the real time: zero unless a test or a play has moved it.

    Statements that go by the database's clock add it, so that their time is moved too.
    """
    return _offset


def set_now(moment: datetime | None) -> None:
    """Move the clock of this process so that it now shows `moment` and runs on; None sets it right."""
    set_offset(timedelta() if moment is None else moment - datetime.now(UTC))


def set_offset(by: timedelta) -> None:
    """Let the clock of this process run so far ahead of the real time."""
    global _offset  # noqa: PLW0603 - the offset is this process's only clock setting.
    _offset = by


def set_skew(by: timedelta) -> None:
    """Let the clock of this machine be wrong, while the database's is right (`core/failpoints.py`)."""
    global _skew  # noqa: PLW0603 - see set_offset.
    _skew = by


def start(given: Settings) -> None:
    """Set the clock of a process that begins its work: ahead, if it belongs to a play.

    Raises: ClockMovedInProduction.
    """
    if not given.doorstep_clock_offset:
        return
    if not given.serves_this_machine_only:
        raise ClockMovedInProduction(
            "DOORSTEP_CLOCK_OFFSET works only with COOKIE_SECURE=false and a PUBLIC_URL on loopback."
        )
    set_offset(timedelta(seconds=given.doorstep_clock_offset))
