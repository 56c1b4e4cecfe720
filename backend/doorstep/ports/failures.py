"""How a call to the outside world can fail."""

from __future__ import annotations

from doorstep.core.errors import Invalid, Refusal, Unavailable


class PortUnbound(RuntimeError):
    """A port is used before `bind`: the composition root forgot it."""


class OutsideUnavailable(Unavailable):
    """The other system did not answer, or said that it is busy; whether it acted may be unknown.

    The job that called may be run again; `headers["Retry-After"]` says when, in seconds.
    """

    title = "A connected system is out of reach for a moment."


class OutsideRefused(Refusal):
    """The other system understood the request and refused it; the same request will not succeed.

    `facts` hold `system`, `http_status` and `answer` (its own words, shortened).
    """

    status = 502
    title = "A connected system refused the request."


class OutsideGone(OutsideRefused):
    """What the request was for is no more on the other side, and will not come back."""

    title = "A connected system does not have this any more."


class OutsideOrderUnreadable(Invalid):
    """An order of the shop cannot be understood; it stays in the inbox for a person to look at."""

    title = "The shop's order cannot be understood."


class EventUnreadable(Invalid):
    """A genuine webhook has a body that its own documentation does not allow."""

    status = 400
    title = "The body of the webhook cannot be understood."
