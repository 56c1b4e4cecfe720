"""The one place that knows what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_offset = timedelta()
_skew = timedelta()


def now() -> datetime:
    """Tell the present moment, aware and in UTC, moved by the offset that a test has set."""
    return datetime.now(UTC) + _offset + _skew


def offset() -> timedelta:
    """Tell how far `now` is moved from the real time: zero unless a test has moved it.

    Statements that go by the database's clock add it, so that a test moves their time too.
    """
    return _offset


def set_now(moment: datetime | None) -> None:
    """Move the clock of this process so that it now shows `moment` and runs on; None sets it right."""
    global _offset  # noqa: PLW0603 - the offset is this process's only clock setting.
    _offset = timedelta() if moment is None else moment - datetime.now(UTC)


def set_skew(by: timedelta) -> None:
    """Let the clock of this machine be wrong, while the database's is right (`core/failpoints.py`)."""
    global _skew  # noqa: PLW0603 - see set_now.
    _skew = by
