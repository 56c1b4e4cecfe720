"""The job of places: forget what is too old."""

from __future__ import annotations

from typing import Any

from doorstep.core.jobs import recurring
from doorstep.modules.places import service


@recurring("places.forget", every=3600, timeout=120)
async def forget(_payload: dict[str, Any]) -> None:
    """Delete places of more than 60 days ago; running twice deletes nothing more (IA7)."""
    await service.forget()
