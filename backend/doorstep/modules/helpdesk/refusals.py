"""What cannot be done with problems, tickets, calendars and rules."""

from __future__ import annotations

from doorstep.core.errors import Invalid, NotFound, Refusal


class ProblemMissing(NotFound):
    """No such problem, or not in this person's channels: both look the same."""

    title = "There is no such problem."


class ProblemClosed(Refusal):
    title = "The problem is closed already."


class OwnerNotAvailable(Invalid):
    """Somebody who has left, works in the field, or does not see the channel cannot take it."""

    title = "This person cannot take the problem."


class TicketMissing(NotFound):
    """No such ticket, or not in this person's channels: both look the same."""

    title = "There is no such ticket."


class TicketClosed(Refusal):
    title = "The ticket is closed. Please open a new one."


class TicketStillOpen(Refusal):
    """The problem stands for a ticket: resolving that closes both."""

    title = "A ticket waits behind this problem. Please resolve the ticket."


class PhotoMissing(Invalid):
    """Knowing a hash is not having had the picture."""

    title = "A picture has not been uploaded by you."


class ChannelNeeded(Invalid):
    title = "A ticket about no order needs the channel it belongs to."


class JobMissing(NotFound):
    """No such job, or not one of this person's: both look the same."""

    title = "There is no such job of yours."


class CaptureToAmendMissing(NotFound):
    """No such capture, or not one of this person's: both look the same."""

    title = "There is no such capture of yours."


class AppealTooLate(Refusal):
    """Decided, and longer ago than a decision may be asked about."""

    title = "This was decided too long ago to be looked at again."


class CalendarNotUsable(Invalid):
    title = "The business calendar cannot be used."


class RuleNotUsable(Invalid):
    title = "An escalation rule cannot be used."
