"""The pretend payment gateway: Checkout.com's payment links, and captures told by signed webhooks."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta

from doorstep.core import clock
from doorstep.core.money import Money
from doorstep.sandbox.hooks import Webhook
from doorstep.sandbox.world import Here, World, sign

AnyRequest = Request[Any, Any, Any]
AnyResponse = Response[dict[str, Any]]


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


def _take(world: World, data: Capture) -> Captured:
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


@post("/gateway/_capture", status_code=HTTP_200_OK)
async def capture(world: Here, data: JSONBody[Capture]) -> Captured:
    """Take the customer's money once per reference and tell it (again) by webhook."""
    return _take(world, data)


class _Address(msgspec.Struct):
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]


class _Billing(msgspec.Struct):
    address: _Address


class LinkAsked(msgspec.Struct, kw_only=True):
    """What a merchant asks a link for."""

    amount: Annotated[int, Meta(ge=1, le=10**14)]
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    reference: Annotated[str, Meta(min_length=1, max_length=100)]
    billing: _Billing
    expires_in: Annotated[int, Meta(ge=1, le=2_592_000)]
    capture: bool = True


@post("/payment-links", status_code=HTTP_201_CREATED)
async def make_link(request: AnyRequest, world: Here, data: JSONBody[LinkAsked]) -> AnyResponse:
    """Make a page on which the customer pays, once per `Cko-Idempotency-Key`."""
    if not world.may_make_links(request.headers.get("authorization", "")):
        return Response({}, status_code=401)
    key = request.headers.get("cko-idempotency-key", "") or _id("key", data.reference)
    known = world.store.row("SELECT * FROM payment_link WHERE idempotency_key = ?", (key,))
    if known is None:
        ends = clock.now() + timedelta(seconds=data.expires_in)
        link_id = _id("pl", key)
        asked = msgspec.json.encode(data).decode()
        expires_on = ends.strftime("%Y-%m-%dT%H:%M:%S.%f") + "1Z"
        world.store.run(
            "INSERT INTO payment_link VALUES (?, ?, ?, ?)", (link_id, key, asked, expires_on)
        )
    else:
        link_id, expires_on = known["id"], known["expires_on"]
    here = str(request.base_url).rstrip("/")
    return Response(
        {
            "id": link_id,
            "expires_on": expires_on,
            "reference": data.reference,
            "_links": {
                "self": {"href": f"{here}/payment-links/{link_id}"},
                "redirect": {"href": f"{here}/gateway/pay/{link_id}"},
            },
        },
        status_code=HTTP_201_CREATED,
    )


@get("/gateway/pay/{link_id:str}", media_type=MediaType.HTML)
async def show_link(world: Here, link_id: FromPath[str]) -> str:
    """Show the customer the page of a link: one button that pays it."""
    link = _asked(world, link_id)
    amount = Money(link.amount, link.currency)
    return f'<form method="post"><h1>{amount}</h1><button>Pay</button></form>'


@post("/gateway/pay/{link_id:str}", status_code=HTTP_200_OK)
async def pay_link(world: Here, link_id: FromPath[str]) -> Captured:
    """Pay a link, once."""
    link = _asked(world, link_id)
    paid = Capture(reference=link.reference, amount=link.amount, currency=link.currency)
    return _take(world, paid)


def _asked(world: World, link_id: str) -> LinkAsked:
    row = world.store.row("SELECT request FROM payment_link WHERE id = ?", (link_id,))
    if row is None:
        raise NotFoundException
    return msgspec.json.decode(row["request"], type=LinkAsked)


ROUTES = [capture, make_link, show_link, pay_link]
