"""The housekeeping of access."""

from __future__ import annotations

from typing import Any

from doorstep.core.auth.sessions import forget_old_sessions
from doorstep.core.jobs import recurring


@recurring("access.forget_old_sessions", every=86_400)
async def forget_sessions(_payload: dict[str, Any]) -> None:
    """Delete sessions that ended more than 30 days ago; running twice deletes nothing more."""
    await forget_old_sessions()
