"""What must add up after orders were played to their end: the checks of `doorstep chaos`, asserted."""

from __future__ import annotations

from doorstep.chaos import reckoning
from doorstep.chaos.arena import Arena


async def check_orders(stack: Arena, orders: int) -> None:
    """Every order is there once, and every parcel of it has come to an end."""
    assert await reckoning.check_orders(stack, orders) == []


async def check_money(stack: Arena) -> int:
    """The bank has paid each tranche once, to the minor unit; return how many payouts it made."""
    wrong, payouts = await reckoning.check_money(stack)
    assert wrong == []
    return payouts


async def check_goods(stack: Arena) -> None:
    """What was received is somewhere, what was ordered is with the customers, nothing is reserved."""
    assert await reckoning.check_goods(stack) == []


async def check_messages(stack: Arena) -> int:
    """Every message was told once and is known to have been; return how many there are."""
    wrong, messages = await reckoning.check_messages(stack)
    assert wrong == []
    return messages


async def check_doctor(stack: Arena) -> None:
    """`doorstep doctor` finds nothing."""
    assert await reckoning.check_doctor(stack) == []
