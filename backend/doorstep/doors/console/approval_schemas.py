"""What the desk of approvals sees and says."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from doorstep.modules.finance.rules.approvals import Facts, Kind, Policy
from doorstep.modules.finance.service.approvals import Verdict

Words = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class WaitingApproval(Struct, kw_only=True):
    """An order that waits for a person; `held_until` is when the first of its holds runs out."""

    id: UUID
    kind: Kind
    order_id: UUID
    order_number: str
    channel: str
    customer: str
    currency: str
    total_minor: int
    reasons: list[str]
    waits_since: datetime
    due_at: datetime | None
    held_until: datetime | None


class FormCustomer(Struct, kw_only=True):
    """Who ordered."""

    name: str
    phone: str | None
    email: str
    language: str
    phone_verified: bool


class FormAddress(Struct, kw_only=True):
    """Where the goods go; `missing` names the parts that are still asked for."""

    name: str
    phone: str | None
    line1: str
    building: str
    floor: str
    flat: str
    city: str
    region: str
    postcode: str
    country: str
    missing: list[str]


class HeldStock(Struct, kw_only=True):
    """Where pieces of a line are held, and what is free there beside them."""

    location: str
    quantity: int
    state: str
    expires_at: datetime | None
    free_left: int


class FormLine(Struct, kw_only=True):
    """A line of the order."""

    sku: str
    name: str
    quantity: int
    unit_price_minor: int
    total_minor: int
    held: list[HeldStock]


class ReservationForm(Struct, kw_only=True):
    """The order as it was submitted, with the stock that is held for it."""

    order_id: UUID
    number: str
    external_id: str
    channel: str
    placed_at: datetime
    placed_by_role: str
    delivery_service: str
    currency: str
    total_minor: int
    customer: FormCustomer
    address: FormAddress
    lines: list[FormLine]


class PaymentWord(Struct, kw_only=True):
    """What the gateway, the shop or the cash desk said of a payment."""

    provider: str
    type: str
    payment_id: str
    amount_minor: int
    happened_at: datetime


class PaymentFormLine(Struct, kw_only=True):
    """A way in which the order is paid, with everything said about it."""

    method: str
    due: str
    amount_minor: int
    captured_minor: int
    state: str
    reference: str
    words: list[PaymentWord]


class PaymentForm(Struct, kw_only=True):
    """The payment as it was submitted, with the limit for paying at the door."""

    currency: str
    total_minor: int
    cod_limit_minor: int
    phone_verified: bool
    lines: list[PaymentFormLine]


class DecisionOut(Struct, kw_only=True):
    """What became of an order that waited."""

    id: UUID
    verdict: Verdict
    decided: Literal["automatic", "person"]
    reasons: list[str]
    decided_by: UUID | None
    decided_role: str
    decided_at: datetime


class ApprovalForms(Struct, kw_only=True):
    """A judgement with its policy and facts, and both submitted forms side by side."""

    id: UUID
    kind: Kind
    verdict: Verdict
    decided: Literal["automatic", "person"]
    reasons: list[str]
    decided_by: UUID | None
    decided_role: str
    decided_at: datetime
    policy_version: int
    policy: Policy
    facts: Facts
    decision: DecisionOut | None
    reservation_form: ReservationForm
    payment_form: PaymentForm


class WordIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the order may go on, or may not."""

    event_id: UUID
    reason: Words


class PolicyIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new version of a channel's policy; `after_version` is the one that was edited."""

    event_id: UUID
    after_version: Annotated[int, Meta(ge=0, le=1_000_000)]
    reason: Words
    rules: Policy


class PolicyOut(Struct, kw_only=True):
    """A version of a channel's policy; the newest of each channel holds. Version 0 is the default."""

    channel_id: UUID
    channel: str
    currency: str
    version: int
    rules: Policy
    reason: str
    set_by: UUID | None
    set_at: datetime | None
