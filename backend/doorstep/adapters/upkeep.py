"""Forgets the log of calls to other systems once support no longer needs it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.adapters.client import forget_calls
from doorstep.core.clock import now
from doorstep.core.jobs import recurring

KEPT_FOR = timedelta(days=90)
"""As long as the raw webhooks of the inbox."""


@recurring("adapters.forget_calls", every=86_400, timeout=120)
async def forget_old_calls(_payload: dict[str, Any]) -> None:
    """Delete requests and answers that are older than 90 days."""
    await forget_calls(now() - KEPT_FOR)
