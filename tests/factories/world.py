"""A small company to test in: one channel, two places, three products, stock of a vendor and ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from doorstep import ports
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.modules.oms import service as oms
from doorstep.modules.oms.schemas import Accessory, ChannelData, ProductData
from doorstep.modules.scm import service as scm
from doorstep.modules.scm.schemas import VendorData
from doorstep.modules.wms.service import stock

SHOP = Actor(role="sales", source="person", person_id=UUID(int=1), request_id="shop")


@dataclass
class World:
    """Ids of what the factory has made."""

    channel_id: UUID
    warehouse_id: UUID
    vendor_id: UUID
    products: dict[str, UUID]
    serials: dict[str, list[str]] = field(default_factory=dict)


async def make_world(*, vendor_id: UUID | None = None, units: int = 5) -> World:
    """Make channel AE with a warehouse that holds a vendor's washing machines and kettles, and our mixers."""
    channel_id = await oms.save_channel(
        ChannelData(
            code="AE", name="UAE", country="AE", currency="AED", zone="Asia/Dubai",
            languages=["en", "ar"], working_week=[1, 2, 3, 4, 5], tax_basis_points=500,
            cod_limit_minor=500_000,
        )
    )  # fmt: skip
    owner = vendor_id or await make_vendor()
    places = {
        kind: await stock.save_location(
            {
                "code": code,
                "name": code,
                "kind": kind,
                "channel_id": channel_id,
                "erp_store_id": code,
            }
        )
        for kind, code in (("warehouse", "DXB"), ("carrier", "CARRIER-AE"), ("customer", "CUST-AE"))
    }
    world = World(channel_id, places["warehouse"], owner, {})
    await _stocked(world, _washing_machine(), owner, units)
    await _stocked(world, _kettle(), owner, units)
    await _stocked(world, _mixer(), None, units)
    return world


async def make_vendor(code: str = "V-GULF") -> UUID:
    """Make a vendor who is always open, so that deadlines are easy to tell."""
    return await scm.save_vendor(
        VendorData(
            code=code, name=code, country="AE", zone="Asia/Dubai", email=f"{code.lower()}@example.com",
            percentages=[20, 20, 20, 20, 10, 10], account_name=code,
            account_number="AE070331234567890123456", bank_code="EBILAEAD",
            working_hours={str(day): [("00:00", "24:00")] for day in range(1, 8)},
        )
    )  # fmt: skip


async def _stocked(
    world: World, product: ProductData, owner_id: UUID | None, quantity: int
) -> None:
    product_id = await oms.save_product(product)
    world.products[product.sku] = product_id
    serials = [f"{product.sku}-SN{n:04}" for n in range(quantity)] if product.serialised else []
    world.serials[product.sku] = serials
    if quantity:
        await stock.receive(
            world.warehouse_id,
            product_id,
            owner_id,
            quantity,
            ref=f"first:{product.sku}",
            serials=serials,
        )


def _washing_machine() -> ProductData:
    return ProductData(
        sku="WM-7KG", name="Washing machine 7 kg", names={}, barcode="6291100000017",
        weight_g=68_000, length_mm=650, width_mm=640, height_mm=890, serialised=True,
        needs_install=True, install_skill="laundry", warranty_months=24, crew_size=2,
        packing_instruction="Keep the transport bolts in.",
        accessories=[Accessory(code="ACC-HOSE", name="Inlet hose")],
    )  # fmt: skip


def _kettle() -> ProductData:
    return ProductData(
        sku="KET-17", name="Kettle 1.7 l", names={}, barcode="6291100000024", weight_g=1_200,
        length_mm=250, width_mm=230, height_mm=260, warranty_months=12,
    )  # fmt: skip


def _mixer() -> ProductData:
    return ProductData(
        sku="MIX-500", name="Hand mixer", names={}, barcode="6291100000031", weight_g=900,
        length_mm=220, width_mm=120, height_mm=180,
    )  # fmt: skip


def an_order(
    *lines: tuple[str, int],
    external_id: str = "",
    method: ports.PaymentMethod = "credit_card",
    price_minor: int = 100_00,
) -> ports.IncomingOrder:
    """Make an order of the shop for (sku, quantity) lines; one washing machine and a kettle by default."""
    wanted = lines or (("WM-7KG", 1), ("KET-17", 1))
    reference = external_id or f"T-{uuid7()}"
    items = tuple(
        ports.IncomingLine(
            external_item_id=str(n), sku=sku, name=sku, quantity=quantity,
            unit_price_minor=price_minor, tax_minor=0, discount_minor=0,
            total_minor=price_minor * quantity,
        )
        for n, (sku, quantity) in enumerate(wanted, start=1)
    )  # fmt: skip
    total = sum(item.total_minor for item in items)
    return ports.IncomingOrder(
        external_id=reference, external_entity_id="", channel_code="AE", currency="AED",
        placed_at=datetime.now(UTC), lines=items, shipping_minor=0, other_minor=0, discount_minor=0,
        tax_minor=0, total_minor=total, delivery_service="standard", pickup_location_code="",
        released=True, shop_state="processing",
        customer=ports.IncomingCustomer(
            name="Aisha Khan", email="aisha@example.com", phone="0501234567", language="en"
        ),
        ship_to=ports.IncomingAddress(
            name="Aisha Khan", phone="0501234567", street=("12 Marina Walk",), building="Tower 1",
            floor="4", flat="402", city="Dubai", region="Dubai", postcode="00000", country="AE",
            lat=25.08, lng=55.14, instructions="",
        ),
        payments=(
            ports.IncomingPayment(
                method=method, amount_minor=total, due="at_door" if method == "cod" else "now",
                reference=reference, transaction_id="", state="pending",
            ),
        ),
    )  # fmt: skip


async def stock_of(world: World, sku: str) -> tuple[int, int, int]:
    """Tell (on hand, held, allocated) of a SKU at the warehouse."""
    row = await db.one(
        "SELECT on_hand, held, allocated FROM stock WHERE location_id = $1 AND product_id = $2",
        world.warehouse_id,
        world.products[sku],
    )
    return (row["on_hand"], row["held"], row["allocated"])
