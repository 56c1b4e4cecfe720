"""Orders as a shop sends them to our own API."""

from __future__ import annotations

from typing import Any

import httpx

from doorstep.core.ids import uuid7
from tests.factories.company import Company

LINES = (("WM-7KG", 1), ("KET-17", 1))


def order_body(
    external_id: str,
    *lines: tuple[str, int],
    method: str = "credit_card",
    currency: str = "AED",
) -> dict[str, Any]:
    """Write an order for our own API."""
    wanted = lines or LINES
    total = sum(quantity * 100_00 for _, quantity in wanted)
    return {
        "channel": "AE",
        "external_id": external_id,
        "currency": currency,
        "customer": {
            "name": "Aisha Khan",
            "email": "aisha@example.com",
            "phone": "+971501234567",
            "language": "en",
        },
        "ship_to": {
            "name": "Aisha Khan", "phone": "+971501234567", "street": ["12 Marina Walk"],
            "building": "Tower 1", "floor": "4", "flat": "402", "city": "Dubai",
            "region": "Dubai", "postcode": "00000", "country": "AE", "lat": 25.08, "lng": 55.14,
        },
        "lines": [
            {"sku": sku, "name": sku, "quantity": quantity, "unit_price_minor": 100_00}
            for sku, quantity in wanted
        ],
        "payments": [
            {
                "method": method,
                "amount_minor": total,
                "due": "at_door" if method == "cod" else "now",
                "reference": external_id,
            }
        ],
    }  # fmt: skip


async def send_order(company: Company, body: dict[str, Any], key: str = "") -> httpx.Response:
    """Place an order by our own API."""
    return await company.http.post(
        "/api/orders",
        json=body,
        headers=company.users["sales"].headers | {"Idempotency-Key": key or f"key-{uuid7()}"},
    )
