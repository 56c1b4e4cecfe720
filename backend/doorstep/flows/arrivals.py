"""What arrives from carriers' webhooks and from finished uploads, and whom it concerns."""

from __future__ import annotations

from typing import Any

from doorstep import ports
from doorstep.core import inbox
from doorstep.core.jobs import job
from doorstep.flows import carrier_events, proof_pictures


@inbox.handler("clickpost")
async def handle_carrier(message: inbox.Message) -> None:
    """Apply a carrier's scan to the shipment with its AWB.

    Raises: WaitsFor while no shipment has that AWB.
    """
    event = ports.clickpost().read(message.body)
    await carrier_events.apply_carrier_event(
        event, source=message.source, source_id=message.source_id
    )


@job("flows.blob_verified")
async def blob_verified(payload: dict[str, Any]) -> None:
    """Let proofs and reports know that the bytes of a picture they name are on the server."""
    await proof_pictures.photo_verified(payload["sha256"], refusal=payload.get("refusal"))
