"""The pretend payment gateway: a capture told by Checkout.com's signed webhooks."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from litestar import post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from doorstep.core import clock
from doorstep.sandbox.hooks import Webhook
from doorstep.sandbox.world import Here, sign


class Capture(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the customer paid, in minor units; `declined` is a card that was refused."""

    reference: Annotated[str, Meta(min_length=1, max_length=100)]
    amount: Annotated[int, Meta(ge=0, le=10**14)]
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    outcome: Literal["captured", "authorised", "declined"] = "captured"


class Captured(msgspec.Struct):
    """The payment's id and the events that are on their way."""

    payment_id: str
    event_ids: list[str]


_TYPES = {
    "captured": ("payment_approved", "payment_captured"),
    "authorised": ("payment_approved",),
    "declined": ("payment_declined",),
}


def _id(prefix: str, *parts: str) -> str:
    """Make the id that the same payment always gets, so that a repeated capture is the same one."""
    return f"{prefix}_{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:26]}"


def _event(capture: Capture, kind: str, payment_id: str) -> dict[str, Any]:
    moment = clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f") + "1Z"
    approved = kind != "payment_declined"
    return {
        "id": _id("evt", payment_id, kind),
        "type": kind,
        "version": "1.0.29",
        "created_on": moment,
        "data": {
            "id": payment_id,
            "action_id": _id("act", payment_id, kind),
            "reference": capture.reference,
            "amount": capture.amount,
            "currency": capture.currency,
            "processed_on": moment,
            "response_code": "10000" if approved else "20005",
            "response_summary": "Approved" if approved else "Declined - Do Not Honour",
            "payment_type": "Regular",
            "metadata": {},
        },
    }


@post("/gateway/_capture", status_code=HTTP_200_OK)
async def capture(world: Here, data: JSONBody[Capture]) -> Captured:
    """Take the customer's money once per reference and tell it (again) by webhook."""
    payment_id = _id("pay", data.reference)
    asked = msgspec.json.encode(data).decode()
    known = world.store.row("SELECT body FROM payment WHERE reference = ?", (data.reference,))
    if known is None:
        world.store.run("INSERT INTO payment VALUES (?, ?)", (data.reference, asked))
    else:
        # A payment is one amount for ever; asked again, the gateway repeats what it did.
        data = msgspec.structs.replace(
            msgspec.json.decode(known["body"], type=Capture), outcome=data.outcome
        )
    events = [_event(data, kind, payment_id) for kind in _TYPES[data.outcome]]
    bodies = [msgspec.json.encode(event) for event in events]
    world.hooks.send(
        "gateway",
        *(
            Webhook("/hooks/checkout", {"Cko-Signature": sign(world.checkout_key, body)}, body)
            for body in bodies
        ),
    )
    return Captured(payment_id=payment_id, event_ids=[str(event["id"]) for event in events])


ROUTES = [capture]
