"""What earnings refuse, one class each."""

from __future__ import annotations

from doorstep.core.errors import Invalid, NotFound


class RateBeginsTooEarly(Invalid):
    """What was earned stays: a new version begins now or later, a first one at most 62 days ago."""

    title = "This rate would change what was earned already."


class WorkMissing(NotFound):
    title = "There is no such finished work."


class PeriodTooLong(Invalid):
    """Earnings are read by whole days, at most 92 of them at once."""

    title = "Earnings are read from one day to another, at most 92 days later."
