"""A customer at his order's page: how he gets there, signs in and takes a step."""

from __future__ import annotations

import re
from typing import Any

from doorstep.core import db as core_db
from tests.factories.journeys import Order
from tests.support.visitor import Visitor, forms_of, words_of


def token_of(order: Order) -> str:
    return order.company.told(r"/t/([\w-]{20,})", order.number)


async def code_of(order_id: Any) -> str:
    """Read the newest sign-in code where it waits to be sent."""
    code: str = await core_db.value(
        "SELECT secret FROM message WHERE order_id = $1 AND event = 'sign_in_code'"
        " AND secret IS NOT NULL ORDER BY attempt DESC LIMIT 1",
        order_id,
    )
    return code


async def sign_in(visitor: Visitor, address: str, order_id: Any) -> str:
    """Have a code sent and type it; return the page after it."""
    asked = await visitor.do(forms_of(await visitor.read(address))["ask"])
    assert "If this order has a phone number" in words_of(asked)
    return await visitor.do(forms_of(asked)["in"], code=await code_of(order_id))


async def at_page(visitor: Visitor, order: Order, *, signed_in: bool = True) -> str:
    """Open the order's page, and type the code."""
    address = await visitor.open(token_of(order))
    if signed_in:
        await sign_in(visitor, address, order.order_id)
    return address


async def step(visitor: Visitor, address: str, path: str, **params: str) -> str:
    """Read a page behind the order's that its links lead to."""
    page = await visitor.read(address)
    assert f"{address}/{path}?" in page, "no link leads there"
    return await visitor.read(f"{address}/{path}", **params)


def times_in(page: str) -> list[str]:
    """List the times that a page offers."""
    return re.findall(r'name="start" value="([^"]+)"', page)
