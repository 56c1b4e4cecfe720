"""Refusals: one class per reason, each a stable problem type of RFC 9457."""

from __future__ import annotations

import re
from typing import Any, ClassVar

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Refusal(Exception):
    """Somebody asked for what cannot be done; nothing has changed.

    The class name is the sentence (`OutOfStock`), `type` its stable kebab form, `facts` become
    members of the problem+json body, `headers` of the answer (Retry-After).
    """

    status: ClassVar[int] = 409
    title: ClassVar[str] = "The request cannot be carried out."

    def __init__(
        self, detail: str = "", *, headers: dict[str, str] | None = None, **facts: Any
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.facts = facts
        self.headers = headers or {}

    @property
    def words(self) -> str:
        """Say why to a person; a detail that only names the thing follows the sentence."""
        return self.detail if " " in self.detail else f"{self.title} ({self.detail})"

    @classmethod
    def problem_type(cls) -> str:
        """Name the refusal for machines: `NotACourier` → `not-a-courier`."""
        return _WORDS.sub("-", cls.__name__).lower()


class NotFound(Refusal):
    """The thing does not exist, or not for this person: both look the same."""

    status = 404
    title = "There is no such thing here."


class EventIdReused(Refusal):
    """A device makes one id per capture: the same id for another thing is no repeat of it."""

    title = "This event id has been used for something else."


class NotAllowed(Refusal):
    """The person is known but may not do this."""

    status = 403
    title = "You may not do this."


class Invalid(Refusal):
    """The request is understood but its content breaks a rule."""

    status = 422
    title = "The content of the request is not valid."


class Unavailable(Refusal):
    """A part that the answer needs is out of reach; the same request may be sent again."""

    status = 503
    title = "The service is busy or restarting. Please try again."

    def __init__(self, detail: str = "", *, retry_after: int = 2, **facts: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)}, **facts)
