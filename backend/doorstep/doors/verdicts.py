"""How a step's verdict is told over HTTP: 200 when it counts, 202 when it is kept for later."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.openapi import ResponseSpec

from doorstep import journey


class VerdictOut(msgspec.Struct):
    """What became of a step; any verdict means that it is stored and may leave the phone."""

    event_id: UUID
    stage: int
    verdict: str
    reason: str
    progress: int


KEPT = {
    202: ResponseSpec(VerdictOut, description="Stored; held or in review.", generate_examples=False)
}
"""For a handler's `responses`: a step may be kept without moving anything."""

_COUNTS = (journey.Verdict.APPLIED, journey.Verdict.DUPLICATE)


def verdict(answer: journey.Answer) -> VerdictOut:
    """Turn the engine's answer into what a client reads."""
    return VerdictOut(
        answer.event_id, answer.stage, answer.verdict.value, answer.reason, answer.progress
    )


def told(answer: journey.Answer, content: Any = None) -> Response[Any]:
    """Answer a step; `content` replaces the plain verdict where a route tells more."""
    status = 200 if answer.verdict in _COUNTS else 202
    return Response(content if content is not None else verdict(answer), status_code=status)
