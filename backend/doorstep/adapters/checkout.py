"""Checkout.com: genuine payment webhooks and what they mean (integrations: Checkout.com)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from doorstep.adapters.signatures import keys_of, signed_by_any
from doorstep.adapters.times import parse_time
from doorstep.ports import EventUnreadable, PaymentEvent
from doorstep.settings import settings

Kind = Literal["authorised", "captured", "failed", "refunded", "hold", "info"]

KINDS: dict[str, Kind] = {
    "payment_approved": "authorised",
    "payment_captured": "captured",
    "payment_declined": "failed",
    "payment_expired": "failed",
    "payment_canceled": "failed",
    "payment_voided": "failed",
    "payment_refunded": "refunded",
    "payment_capture_declined": "hold",
    "payment_chargeback": "hold",
}
"""What an event type means; every other type is `info`. Authorised is not paid."""


class _Data(msgspec.Struct, kw_only=True):
    id: Annotated[str, Meta(max_length=100)]
    action_id: Annotated[str, Meta(max_length=100)] | None = None
    reference: Annotated[str, Meta(max_length=100)] | None = None
    amount: Annotated[int, Meta(ge=0, le=10**14)] | None = None
    currency: Annotated[str, Meta(max_length=3)] | None = None
    processed_on: str | None = None


class _Event(msgspec.Struct, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=100)]
    type: Annotated[str, Meta(max_length=60)]
    created_on: str | None = None
    data: _Data | msgspec.UnsetType = msgspec.UNSET


class _Named(msgspec.Struct):
    id: Annotated[str, Meta(min_length=1, max_length=100)]


def _decode(body: bytes, shape: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise EventUnreadable(f"Checkout.com: {broken}") from broken


class CheckoutHook:
    """Payment webhooks of Checkout.com; a `ports.Hook[PaymentEvent]`."""

    def __init__(self, signing_keys: tuple[str, ...]) -> None:
        self._keys = signing_keys

    @classmethod
    def configured(cls) -> CheckoutHook:
        """Take the signing keys from the settings."""
        return cls(keys_of(settings().checkout_signing_keys))

    def genuine(self, body: bytes, headers: Mapping[str, str], path_secret: str = "") -> bool:
        """Check `Cko-Signature`, the hex HMAC-SHA256 of the raw body, against every active key."""
        return signed_by_any(self._keys, body, headers.get("cko-signature", ""))

    def source_id(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Name the event by its own id (`evt_…`). Raises: EventUnreadable."""
        event: _Named = _decode(body, _Named)
        return event.id

    def read(self, body: bytes) -> PaymentEvent:
        """Understand the event; amounts are minor units already. Raises: EventUnreadable."""
        event: _Event = _decode(body, _Event)
        data = event.data
        if data is msgspec.UNSET:
            raise EventUnreadable("Checkout.com: the event has no data.")
        happened = data.processed_on or event.created_on
        kind = KINDS.get(event.type, "info")
        if kind == "captured" and (data.amount is None or not data.currency):
            raise EventUnreadable("Checkout.com: a capture without amount or currency.")
        return PaymentEvent(
            event_id=event.id,
            kind=kind,
            raw_type=event.type,
            payment_id=data.id,
            # Older events carry no action; the payment itself is then the thing to count once.
            action_id=data.action_id or data.id,
            reference=data.reference or "",
            amount_minor=data.amount or 0,
            currency=data.currency or "",
            happened_at=parse_time(happened) if happened else None,
        )
