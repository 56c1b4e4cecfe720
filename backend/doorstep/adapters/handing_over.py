"""Handing a message to a provider who does not recognise a repeat: what each answer leaves known."""

from __future__ import annotations

from http import HTTPStatus

from doorstep.adapters.client import Answer, Call, Outgoing
from doorstep.ports import OutcomeUnknown, OutsideUnavailable

LONGEST_WAIT = 300
"""Seconds that a provider may have us wait before the message is tried again."""


async def hand_over(out: Outgoing, call: Call) -> Answer:
    """Send once; give back any answer that says whether the message was taken.

    Raises: OutcomeUnknown when it was on its way and no answer came, or one of a server in trouble;
    OutsideUnavailable when it surely was not taken (no connection, 429).
    """
    try:
        answer = await out.send(call)
    except OutsideUnavailable as failed:
        if failed.facts.get("sent"):
            raise OutcomeUnknown(failed.detail, **failed.facts) from failed
        raise
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = answer.headers.get("retry-after", "")
        raise OutsideUnavailable(
            f"{out.system} is busy (HTTP 429).",
            retry_after=min(int(wait), LONGEST_WAIT) if wait.isdigit() else 2,
            system=out.system,
            sent=False,
        )
    if answer.busy or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise unknown(out.system, f"answered HTTP {answer.status}")
    return answer


def unknown(system: str, what: str) -> OutcomeUnknown:
    """Say that nobody can tell whether a message was taken."""
    return OutcomeUnknown(f"{system} {what}.", system=system, sent=True)
