"""Decisions of restocking: how many pieces a shelf needs, and why (SPEC P3, P20). No I/O."""

from __future__ import annotations

import math
from typing import NamedTuple


class Demand(NamedTuple):
    """What leaves a shelf and what stands against it, in pieces.

    `shipped` is what left within the days looked back at; `backordered` is sold but nowhere in
    stock; `free` stands there and is promised to nobody; `incoming` is announced already.
    """

    shipped: int
    backordered: int
    free: int
    incoming: int


class Proposal(NamedTuple):
    """How many pieces to order; 0 means none. `why` says it in words."""

    quantity: int
    why: str


def propose(demand: Demand, *, history_days: int, cover_days: int) -> Proposal:
    """Order what `cover_days` of the usual sales and the waiting customers need beyond what is there."""
    cover = math.ceil(demand.shipped * cover_days / history_days)
    lacking = max(0, cover + demand.backordered - demand.free - demand.incoming)
    words = [f"{demand.shipped} shipped in {history_days} days, so {cover_days} days need {cover}."]
    if demand.backordered:
        words.append(f"Customers wait for {demand.backordered}.")
    words.append(f"{demand.free} free here, {demand.incoming} on the way.")
    words.append(f"{lacking} are missing." if lacking else "Nothing is missing.")
    return Proposal(lacking, " ".join(words))
