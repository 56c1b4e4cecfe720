"""A shop in this process, for use-cases that die and come back while they speak to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from doorstep import ports
from doorstep.core import db


@dataclass
class Shop:
    """A shop that hands out its orders and keeps what it is told."""

    orders: list[ports.IncomingOrder] = field(default_factory=list)
    shipped: dict[str, str] = field(default_factory=dict)

    async def orders_since(self, updated_since: datetime) -> list[ports.ShopOrder]:
        assert not db.in_transaction(), "the shop is called inside a transaction"
        return [
            ports.ShopOrder(
                external_id=order.external_id,
                updated_at=datetime(2026, 11, 23, 6, tzinfo=UTC),
                body=order.external_id.encode(),
            )
            for order in self.orders
        ]

    def read(self, body: bytes) -> ports.IncomingOrder:
        return next(order for order in self.orders if order.external_id == body.decode())

    async def ship(self, external_entity_id: str, items: object, track: ports.Track) -> str:
        assert not db.in_transaction(), "the shop is called inside a transaction"
        return self.shipped.setdefault(track.number, f"shipment of {external_entity_id}")
