"""What waits for a person: steps kept for review become problems with an owner."""

from __future__ import annotations

from doorstep import journey
from doorstep.core import outbox


async def open_review(fact: journey.Fact) -> None:
    """Ask a dispatcher to look at a step that was kept beside the journey."""
    what = fact.data["what"]
    await outbox.add(
        "helpdesk.open_problem",
        {
            "kind": "review",
            "title": f"Kept for review: {what.replace('_', ' ')}",
            "detail": fact.data["reason"],
            "ref": f"{fact.fulfilment_id}:{what}",
            "order_id": fact.order_id,
            "fulfilment_id": fact.fulfilment_id,
            "owner_role": "dispatcher",
        },
        order_id=fact.order_id,
    )
