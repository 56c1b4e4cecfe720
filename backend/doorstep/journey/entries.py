"""One entry of the chain, as the database's `journey_append` and `place_order` take it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.journey.rules import Evidence, How, Verdict


def entry(
    event_id: UUID,
    kind: str,
    name: str,
    actor: Actor,
    evidence: Sequence[Evidence],
    captured_at: datetime,
    *,
    how: How = "done",
    stage: int | None = None,
    ends_as: str | None = None,
    verdict: Verdict = Verdict.APPLIED,
    reason: str = "",
) -> dict[str, Any]:
    """Write an entry of kind `stage`, `detour`, `fact` or `evidence`, recorded now."""
    return {
        "event_id": event_id,
        "kind": kind,
        "name": name,
        "stage": stage,
        "ends_as": ends_as,
        "how": how,
        "verdict": verdict,
        "reason": reason,
        "actor_id": actor.person_id,
        "actor_role": actor.role,
        "source": actor.source,
        "device": actor.device,
        "captured_at": captured_at,
        "recorded_at": now(),
        "request_id": actor.request_id,
        "evidence": evidence,
    }
