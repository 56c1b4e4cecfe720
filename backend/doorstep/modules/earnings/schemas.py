"""What desks send about earnings; every text and number is bounded."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from doorstep.core.captures.moments import Moment, refuse_edge
from doorstep.modules.earnings.rules import Kind

Reason = Annotated[str, Meta(min_length=3, max_length=300, pattern=r"^[^\x00]*\S[^\x00]*$")]


class RateIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a kind of work earns from a moment on (now, where none is given); 0: nothing any more.

    `amount_minor`: of one piece of work, or of one hour, in the currency of the channel.
    """

    channel_id: UUID
    kind: Kind
    amount_minor: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    reason: Reason
    valid_from: Moment | None = None

    def __post_init__(self) -> None:
        if self.valid_from is not None:
            refuse_edge("valid_from", self.valid_from)


class DecisionIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether a piece of work earns, and why; whoever did it reads the reason."""

    event_id: UUID
    work_id: UUID
    earns: bool
    reason: Reason
