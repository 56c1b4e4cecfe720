"""Magento 2 / Adobe Commerce: fetch orders, report shipments (integrations: Magento)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar
from uuid import uuid4

import msgspec
from msgspec import Meta

from doorstep.adapters.client import ONCE, THRICE, Answer, Call, Outgoing, Retry
from doorstep.adapters.magento_order import read_order, shop_time
from doorstep.adapters.oauth1 import OAuthKeys, Parameters, authorization, encode_query
from doorstep.ports import IncomingOrder, OutsideRefused, ShippedItem, ShopOrder, Track
from doorstep.settings import settings

PAGE = 100
MAX_PAGES = 50
OVERLAP = timedelta(minutes=10)
"""A row may become visible later than its `updated_at`: what is a little older is asked again."""


Shape = TypeVar("Shape")
Record = Literal["all", "failures"]


class _Version(msgspec.Struct):
    entity_id: int
    increment_id: Annotated[str, Meta(min_length=1, max_length=50)]
    updated_at: str


class _Page(msgspec.Struct):
    items: list[msgspec.Raw] | None = None


class _Tracked(msgspec.Struct):
    track_number: str


class _Shipment(msgspec.Struct):
    entity_id: int
    tracks: list[_Tracked] = []


class _Shipments(msgspec.Struct):
    items: list[_Shipment] | None = None


def search(
    conditions: Sequence[tuple[str, str, str]], *, sort: Sequence[str] = (), page: int = 1
) -> list[tuple[str, str]]:
    """Write searchCriteria: every (field, condition, value) must hold, ascending by `sort`."""
    root = "searchCriteria"
    query: list[tuple[str, str]] = []
    for group, (field, condition, value) in enumerate(conditions):
        at = f"{root}[filter_groups][{group}][filters][0]"
        query += [
            (f"{at}[field]", field),
            (f"{at}[value]", value),
            (f"{at}[condition_type]", condition),
        ]
    for place, field in enumerate(sort):
        query += [
            (f"{root}[sortOrders][{place}][field]", field),
            (f"{root}[sortOrders][{place}][direction]", "ASC"),
        ]
    return [*query, (f"{root}[pageSize]", str(PAGE)), (f"{root}[currentPage]", str(page))]


class MagentoShop:
    """One Magento installation; a `ports.Shop`.

    A bearer token works only where the merchant has enabled it; else the four OAuth keys sign.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        oauth: OAuthKeys | None = None,
        store: str = "all",
        channel: str = "AE",
        stores: Mapping[int, str] | None = None,
        total_seconds: float = 10,
    ) -> None:
        self._out = Outgoing("shop", base_url, total_seconds=total_seconds)
        self._token = token
        self._oauth = oauth
        self._rest = f"{self._out.base_url}/rest/{store}/V1"
        self._channel = channel
        self._stores = stores or {}

    @classmethod
    def configured(cls) -> MagentoShop:
        """Take address, keys and the map of stores from the settings.

        Raises: ValueError when `shop_oauth` or `shop_stores` is not in its format.
        """
        here = settings()
        pairs = [pair.split(":") for pair in here.shop_stores.split(",") if pair.strip()]
        return cls(
            here.shop_url,
            here.shop_token,
            oauth=OAuthKeys(*_four(here.shop_oauth)) if here.shop_oauth else None,
            store=here.shop_store,
            channel=here.shop_channel,
            stores={int(store): channel.strip() for store, channel in pairs},
        )

    async def orders_since(self, updated_since: datetime) -> list[ShopOrder]:
        """Fetch every order changed since then (less `OVERLAP`), oldest change first.

        Pages by the last seen `updated_at`, because a page number past the end repeats the last
        page and rows move between pages while orders change; the page number grows only within
        one and the same second.

        Raises: OutsideUnavailable, OutsideRefused.
        """
        watermark = (updated_since - OVERLAP).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        found: dict[str, ShopOrder] = {}
        page = 1
        before: list[str] = []
        for _ in range(MAX_PAGES):
            versions = await self._orders_page(watermark, page)
            names = [order.source_id for order, _ in versions]
            found.update({order.source_id: order for order, _ in versions})
            if len(versions) < PAGE or names == before:
                break
            last = versions[-1][1]
            if last == watermark:
                before, page = names, page + 1
            else:
                before, page, watermark = [], 1, last
        return list(found.values())

    async def _orders_page(self, watermark: str, page: int) -> list[tuple[ShopOrder, str]]:
        answer = await self._get(
            "poll_orders",
            "orders",
            search(
                [("updated_at", "gteq", watermark)], sort=("updated_at", "entity_id"), page=page
            ),
            record="failures",
        )
        versions = []
        for raw in _decode(answer, _Page).items or []:
            try:
                told = msgspec.json.decode(raw, type=_Version, strict=False)
            except msgspec.DecodeError as broken:
                raise _unreadable(answer, broken) from broken
            order = ShopOrder(
                external_id=told.increment_id,
                updated_at=shop_time(told.updated_at),
                body=bytes(raw),
            )
            versions.append((order, told.updated_at))
        return versions

    def read(self, body: bytes) -> IncomingOrder:
        """Understand an order. Raises: OutsideOrderUnreadable."""
        return read_order(body, self._stores, self._channel)

    async def ship(
        self, external_entity_id: str, items: Sequence[ShippedItem], track: Track
    ) -> str:
        """Ship with a track by `/order/{id}/ship`, which unlike `/shipment` checks the quantities.

        Magento has no idempotency key: the order's shipments are searched for the track number
        first, so that a repeat after a lost answer ships nothing twice.

        Raises: OutsideUnavailable, OutsideRefused.
        """
        known = await self._shipment_with(external_entity_id, track.number)
        if known is not None:
            return known
        path = f"order/{int(external_entity_id)}/ship"
        answer = await self._send("ship", "POST", path, [], ONCE, body=_shipment(items, track))
        return answer.body.decode().strip().strip('"')

    async def _shipment_with(self, external_entity_id: str, number: str) -> str | None:
        answer = await self._get(
            "find_shipment", "shipments", search([("order_id", "eq", external_entity_id)])
        )
        for shipment in _decode(answer, _Shipments).items or []:
            if any(track.track_number == number for track in shipment.tracks):
                return str(shipment.entity_id)
        return None

    async def _get(
        self, purpose: str, path: str, query: Parameters, *, record: Record = "all"
    ) -> Answer:
        return await self._send(purpose, "GET", path, query, THRICE, record=record)

    async def _send(
        self,
        purpose: str,
        method: str,
        path: str,
        query: Parameters,
        retry: Retry,
        *,
        body: bytes = b"",
        record: Record = "all",
    ) -> Answer:
        url = f"{self._rest}/{path}"
        return await self._out.expect(
            Call(
                purpose=purpose,
                method=method,
                url=f"{url}?{encode_query(query)}" if query else url,
                headers={"Authorization": self._authorization(method, url, query)},
                body=body,
                retry=retry,
                record=record,
            )
        )

    def _authorization(self, method: str, url: str, query: Parameters) -> str:
        if self._oauth is None:
            return f"Bearer {self._token}"
        # The signature's time is the real one: Magento compares it with its own clock.
        return authorization(
            method, url, query, self._oauth, nonce=uuid4().hex, timestamp=int(time.time())
        )


def _four(setting: str) -> tuple[str, str, str, str]:
    consumer_key, consumer_secret, token, token_secret = setting.split(":")
    return consumer_key, consumer_secret, token, token_secret


def _unreadable(answer: Answer, broken: Exception) -> OutsideRefused:
    return OutsideRefused(f"shop: {broken}", system="shop", http_status=answer.status)


def _decode(answer: Answer, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(answer.body, type=shape, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise _unreadable(answer, broken) from broken


def _shipment(items: Sequence[ShippedItem], track: Track) -> bytes:
    quantities: dict[str, int] = {}
    for item in items:
        quantities[item.external_item_id] = quantities.get(item.external_item_id, 0) + item.quantity
    content: dict[str, object] = {
        "items": [
            {"order_item_id": int(item_id), "qty": quantity}
            for item_id, quantity in quantities.items()
        ],
        "notify": False,
        "appendComment": True,
        "comment": {"comment": f"AWB {track.number}", "is_visible_on_front": 1},
        "tracks": [{"track_number": track.number, "title": track.title, "carrier_code": "custom"}],
    }
    if track.source_code:
        content["arguments"] = {"extension_attributes": {"source_code": track.source_code}}
    return msgspec.json.encode(content)
