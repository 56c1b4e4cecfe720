"""The pretend shop: Magento's REST paths that Doorstep calls, and the controls to place orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta

from doorstep.core import clock
from doorstep.sandbox.catalogue import CATALOGUE, DEMO_LINES
from doorstep.sandbox.search_criteria import echo, search
from doorstep.sandbox.shop import ONLINE, Customer, Json, build_order, encode, mark_paid
from doorstep.sandbox.world import Here, World

AnyRequest = Request[Any, Any, Any]
Answer = Response[bytes]

_SUMMARY = (
    "entity_id", "increment_id", "state", "status", "store_id", "created_at", "updated_at",
    "customer_email", "order_currency_code",
)  # fmt: skip


class Line(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A quantity of an article."""

    sku: Annotated[str, Meta(min_length=1, max_length=60)]
    quantity: Annotated[int, Meta(ge=1, le=1000)] = 1


class Placing(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An order that a customer places; without lines it is the demo order."""

    channel: Literal["AE", "QA", "IN", "KW"] = "AE"
    lines: Annotated[list[Line], Meta(max_length=50)] = []
    payment: Annotated[str, Meta(min_length=1, max_length=60)] = ONLINE
    paid: bool = True
    delivery: Annotated[str, Meta(min_length=1, max_length=60)] = "flatrate_flatrate"
    seed: int = 0
    increment_id: Annotated[str, Meta(max_length=40)] = ""
    customer: Customer = msgspec.field(default_factory=Customer)


class Change(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What happens to an order inside the shop."""

    increment_id: Annotated[str, Meta(min_length=1, max_length=40)]
    state: Annotated[str, Meta(max_length=30)] = ""
    status: Annotated[str, Meta(max_length=30)] = ""
    paid: bool = False


def _json(content: Any, status: int = HTTP_200_OK) -> Answer:
    return Response(encode(content), status_code=status, media_type=MediaType.JSON)


def _error(status: int, message: str, *parameters: object) -> Answer:
    return _json({"message": message, "parameters": list(parameters)}, status)


_NO_TOKEN = "The consumer isn't authorized to access %resources."  # noqa: S105 - Magento's words


_NO_ENTITY = "The entity that was requested doesn't exist."


def _stamp() -> str:
    return clock.now().strftime("%Y-%m-%d %H:%M:%S")


def _save(world: World, order: Json) -> None:
    summary = encode({name: order[name] for name in _SUMMARY}).decode()
    world.store.run(
        "UPDATE shop_order SET summary = ?, body = ? WHERE entity_id = ?",
        (summary, encode(order).decode(), order["entity_id"]),
    )


def _order(world: World, field: Literal["entity_id", "increment_id"], value: object) -> Json | None:
    statements = {
        "entity_id": "SELECT body FROM shop_order WHERE entity_id = ?",
        "increment_id": "SELECT body FROM shop_order WHERE increment_id = ?",
    }
    row = world.store.row(statements[field], (value,))
    return None if row is None else _read(row["body"])


def _read(body: str) -> Json:
    # Amounts stay what they are: a JSON number read as a float could be written differently.
    return msgspec.json.Decoder(Json, float_hook=Decimal).decode(body)


@post("/shop/_place", status_code=HTTP_201_CREATED)
async def place_order(world: Here, data: JSONBody[Placing]) -> Answer:
    """Place an order as a customer would, once per increment id; return it as the shop tells it."""
    placed = _order(world, "increment_id", data.increment_id)
    if placed is not None:
        return _json(placed)
    unknown = [line.sku for line in data.lines if line.sku not in CATALOGUE]
    if unknown:
        return _error(400, "The product that was requested doesn't exist.", *unknown)
    entity_id = world.store.run(
        "INSERT INTO shop_order (increment_id, summary, body) "
        "VALUES ('new' || random(), '{}', '{}')"
    )
    number = data.increment_id or f"{data.channel}-{world.store.first_number + entity_id}"
    order = build_order(
        data.channel,
        [(line.sku, line.quantity) for line in data.lines] or DEMO_LINES,
        placed_at=clock.now(),
        entity_id=entity_id,
        increment_id=number,
        customer=data.customer,
        payment=data.payment,
        paid=data.paid,
        delivery=data.delivery,
        seed=data.seed,
    )
    world.store.run(
        "UPDATE shop_order SET increment_id = ? WHERE entity_id = ?", (number, entity_id)
    )
    _save(world, order)
    return _json(order, HTTP_201_CREATED)


@post("/shop/_change", status_code=HTTP_200_OK)
async def change_order(world: Here, data: JSONBody[Change]) -> Answer:
    """Pay, hold or cancel an order inside the shop."""
    order = _order(world, "increment_id", data.increment_id)
    if order is None:
        return _error(404, _NO_ENTITY)
    if data.paid:
        mark_paid(order)
        order.update(state="processing", status="processing")
    if data.state:
        order.update(state=data.state, status=data.status or data.state)
    order["updated_at"] = _stamp()
    _save(world, order)
    return _json(order)


@get("/rest/{store:str}/V1/orders")
async def list_orders(request: AnyRequest, world: Here, store: FromPath[str]) -> Answer:
    """Search orders; every store sees all of them, as in Magento."""
    if not world.may_call_shop(request.headers.get("authorization", "")):
        return _error(401, _NO_TOKEN)
    query = list(request.query_params.multi_items())
    rows = world.store.rows("SELECT summary FROM shop_order WHERE summary <> '{}'")
    summaries = [msgspec.json.decode(row["summary"]) for row in rows]
    try:
        page, total = search(summaries, query)
    except KeyError as unknown:
        return _error(400, "Condition type is not known.", str(unknown))
    items = [_order(world, "entity_id", summary["entity_id"]) for summary in page]
    return _json({"items": items, "search_criteria": echo(query), "total_count": total})


@get("/rest/{store:str}/V1/orders/{entity_id:int}")
async def read_order(
    request: AnyRequest, world: Here, store: FromPath[str], entity_id: FromPath[int]
) -> Answer:
    """Show one order."""
    if not world.may_call_shop(request.headers.get("authorization", "")):
        return _error(401, _NO_TOKEN)
    order = _order(world, "entity_id", entity_id)
    return _error(404, _NO_ENTITY) if order is None else _json(order)


class _ShippedItem(msgspec.Struct, kw_only=True):
    order_item_id: int
    qty: Annotated[int, Meta(ge=1)]


class _Track(msgspec.Struct, kw_only=True):
    track_number: Annotated[str, Meta(min_length=1)]
    title: str
    carrier_code: str


class _Shipment(msgspec.Struct, kw_only=True):
    items: list[_ShippedItem] = []
    tracks: list[_Track] = []


@post("/rest/{store:str}/V1/order/{order_id:int}/ship", status_code=HTTP_200_OK)
async def ship_order(
    request: AnyRequest, world: Here, store: FromPath[str], order_id: FromPath[int]
) -> Answer:
    """Ship quantities of an order, never more than was ordered; answer the shipment's id."""
    if not world.may_call_shop(request.headers.get("authorization", "")):
        return _error(401, _NO_TOKEN)
    # Nothing is awaited between reading the order and writing it.
    body = await request.body()
    order = _order(world, "entity_id", order_id)
    if order is None:
        return _error(404, _NO_ENTITY)
    try:
        wanted = msgspec.json.decode(body, type=_Shipment)
    except msgspec.DecodeError as broken:
        return _error(400, str(broken))
    items = {item["item_id"]: item for item in order["items"]}
    for part in wanted.items:
        item = items.get(part.order_item_id)
        if item is None or item["qty_shipped"] + part.qty > item["qty_ordered"]:
            message = "Shipment Document Validation Error(s):\nThe quantity is not available."
            return _error(400, message, part.order_item_id)
        item["qty_shipped"] += part.qty
    if all(item["qty_shipped"] == item["qty_ordered"] for item in items.values()):
        order.update(state="complete", status="complete")
    order["updated_at"] = _stamp()
    shipment_id = world.store.run(
        "INSERT INTO shipment (order_id, body) VALUES (?, ?)",
        (order_id, msgspec.json.encode(wanted).decode()),
    )
    _save(world, order)
    return _json(str(shipment_id))


@get("/rest/{store:str}/V1/shipments")
async def list_shipments(request: AnyRequest, world: Here, store: FromPath[str]) -> Answer:
    """Search shipments."""
    if not world.may_call_shop(request.headers.get("authorization", "")):
        return _error(401, _NO_TOKEN)
    query = list(request.query_params.multi_items())
    rows = world.store.rows("SELECT entity_id, order_id, body FROM shipment")
    page, total = search(rows, query)
    items = [_shipment_entity(row) for row in page]
    return _json({"items": items, "search_criteria": echo(query), "total_count": total})


def _shipment_entity(row: Any) -> Json:
    told = msgspec.json.decode(row["body"], type=_Shipment)
    own = {"order_id": row["order_id"], "parent_id": row["entity_id"]}
    return {
        "entity_id": row["entity_id"],
        "order_id": row["order_id"],
        "items": [msgspec.structs.asdict(item) for item in told.items],
        "tracks": [
            {**own, "weight": 0, "qty": 0, "description": "", **msgspec.structs.asdict(track)}
            for track in told.tracks
        ],
        "comments": [],
    }


ROUTES = [place_order, change_order, list_orders, read_order, ship_order, list_shipments]
