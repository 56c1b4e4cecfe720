"""What procurement takes in: vendors, and the goods of a new purchase order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00]*$")]
Percent = Annotated[int, Meta(ge=0, le=100)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d:[0-5]\d|2[0-3]:[0-5]\d|24:00)$")]


class VendorData(Struct, kw_only=True, forbid_unknown_fields=True):
    """A vendor with all that ordering and paying need; `account_number` is an IBAN or plain."""

    code: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[^\x00]*$")]
    name: Text
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    zone: Annotated[str, Meta(min_length=1, max_length=64)]
    email: Annotated[str, Meta(max_length=254)]
    phone: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    percentages: Annotated[list[Percent], Meta(min_length=6, max_length=6)]
    working_hours: dict[str, list[tuple[Clock, Clock]]] | None = None
    """ISO weekday "1" (Monday) to "7" → open spans; None means Monday to Friday, 9 to 18."""
    answer_hours: Annotated[int, Meta(ge=1, le=200)] = 8
    account_name: Text
    account_number: Annotated[str, Meta(min_length=5, max_length=35)]
    bank_code: Annotated[str, Meta(max_length=11)] = ""


class Goods(Struct, frozen=True, kw_only=True):
    """A line of a fulfilment with what it costs us."""

    fulfilment_line_id: UUID
    product_id: UUID
    sku: str
    name: str
    quantity: int
    unit_cost_minor: int


class Purchase(Struct, frozen=True, kw_only=True):
    """What is ordered from a vendor for one fulfilment, at cost."""

    id: UUID
    vendor_id: UUID
    order_id: UUID
    fulfilment_id: UUID
    currency: str
    goods: tuple[Goods, ...]
    sent_at: datetime
    answer_within: timedelta
    zone: str
    working_hours: dict[str, list[list[str]]]

    @property
    def total_minor(self) -> int:
        return sum(line.quantity * line.unit_cost_minor for line in self.goods)
