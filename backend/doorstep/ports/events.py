"""What the gateway, the carriers and the bank tell, in Doorstep's words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

Text = Annotated[str, Meta(max_length=255)]


class PaymentEvent(Struct, kw_only=True, frozen=True):
    """What the payment gateway says. Only `captured` is money; apply it once per `action_id`."""

    event_id: str
    kind: Literal["authorised", "captured", "failed", "refunded", "hold", "info"]
    raw_type: str
    payment_id: str
    action_id: str
    reference: str
    amount_minor: int
    currency: str
    happened_at: datetime | None
    """None when the event does not say; the time of its arrival is in the inbox."""


class MadeLink(Struct, frozen=True):
    """A page of the gateway's on which a customer pays, until it expires."""

    id: str
    url: str
    expires_at: datetime


CarrierTrouble = Literal[
    "pickup_missed",
    "carrier_delayed",
    "carrier_lost",
    "carrier_damaged",
    "carrier_cancelled",
    "delivery_failed",
    "return_to_origin",
    "returned_to_origin",
    "unknown_status",
]


class CarrierEvent(Struct, kw_only=True, frozen=True):
    """A carrier's scan in our words: the stage it proves, the detour it means, or neither."""

    awb: str
    stage: int | None
    detour: CarrierTrouble | None
    reason: str
    """Why a delivery failed (`not_home`, `refused` … `other`), or empty."""
    happened_at: datetime
    location: str
    remark: str
    raw_code: int
    return_leg: bool
    """The scan belongs to goods on their way back: it proves no stage of the delivery."""


PayoutState = Literal["processing", "paid", "failed", "unknown"]


class Beneficiary(Struct, kw_only=True, frozen=True):
    """The account that receives a payout, copied from the vendor into the payout's intent (IM8)."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    account_number: Annotated[str, Meta(min_length=5, max_length=35)]
    """IBAN where the country has one."""
    bank_code: Annotated[str, Meta(max_length=11)]
    """IFSC in India, BIC elsewhere."""
    email: Text = ""
    phone: Text = ""


class PayoutAnswer(Struct, kw_only=True, frozen=True):
    """What the bank says of a payout.

    `unknown` is no answer: ask again with the same key, never with a new one (IM6). `failed` means
    that no money has moved or that it came back (`raw_status` "reversed"). `paid` is never final.
    """

    state: PayoutState
    bank_ref: str
    raw_status: str = ""
    reason: str = ""


class PayoutEvent(Struct, kw_only=True, frozen=True):
    """A payout's new state by webhook: a hint to be applied to the payout with this key."""

    key: str
    bank_ref: str
    state: PayoutState
    raw_status: str
    reason: str
    happened_at: datetime | None
