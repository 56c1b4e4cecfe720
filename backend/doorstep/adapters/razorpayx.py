"""RazorpayX: payouts to vendors, and their webhooks (integrations: RazorpayX payouts)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from doorstep.adapters.client import THRICE, Answer, Call, Outgoing
from doorstep.adapters.signatures import keys_of, signed_by_any
from doorstep.ports import (
    Beneficiary,
    EventUnreadable,
    OutsideUnavailable,
    PayoutAnswer,
    PayoutEvent,
    PayoutState,
)
from doorstep.settings import settings

STATES: dict[str, PayoutState] = {
    "pending": "processing",
    "queued": "processing",
    "scheduled": "processing",
    "processing": "processing",
    "processed": "paid",
    "reversed": "failed",
    "cancelled": "failed",
    "rejected": "failed",
    "failed": "failed",
}
"""Their status in our words, else `unknown`. "reversed" may follow "processed" days later."""

_OUR_FAULT = frozenset({401, 403, 404})
"""The door is closed (key, IP list, path): the payout has not been judged, so it has not failed."""

_IN_FLIGHT = frozenset({409})
NAME_LIMIT = 200


class _Details(msgspec.Struct, kw_only=True):
    description: str | None = None
    reason: str | None = None


class _Payout(msgspec.Struct, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=60)]
    status: Annotated[str, Meta(max_length=30)]
    reference_id: Annotated[str, Meta(max_length=40)] | None = None
    status_details: _Details | None = None
    failure_reason: str | None = None

    @property
    def why(self) -> str:
        """Say in the bank's words why the payout is where it is."""
        details = self.status_details or _Details()
        return (self.failure_reason or details.reason or details.description or "")[:500]

    def answer(self) -> PayoutAnswer:
        """Put the payout in our words."""
        state = STATES.get(self.status, "unknown")
        return PayoutAnswer(state=state, bank_ref=self.id, raw_status=self.status, reason=self.why)


class _Found(msgspec.Struct, kw_only=True):
    items: list[_Payout]


class _Entity(msgspec.Struct):
    entity: _Payout


class _Wrapped(msgspec.Struct):
    payout: _Entity


class _Event(msgspec.Struct, kw_only=True):
    event: Annotated[str, Meta(max_length=60)]
    payload: _Wrapped
    created_at: Annotated[int, Meta(ge=0, le=10**11)] | None = None


_UNKNOWN = PayoutAnswer(state="unknown", bank_ref="")


def payload(
    account: str,
    key: str,
    amount_minor: int,
    currency: str,
    beneficiary: Beneficiary,
    reference: str,
) -> bytes:
    """Write a payout's body; the same arguments give the same bytes, as a repeated key requires.

    `reference_id` is our key, so that a lost answer can be found again.
    """
    contact = {"name": beneficiary.name, "type": "vendor"}
    if beneficiary.email:
        contact["email"] = beneficiary.email
    if beneficiary.phone:
        contact["contact"] = beneficiary.phone
    return msgspec.json.encode(
        {
            "account_number": account,
            "fund_account": {
                "account_type": "bank_account",
                "bank_account": {
                    "name": beneficiary.name,
                    "ifsc": beneficiary.bank_code,
                    "account_number": beneficiary.account_number,
                },
                "contact": contact,
            },
            "amount": amount_minor,
            "currency": currency,
            "mode": "NEFT",
            "purpose": "vendor bill",
            "queue_if_low_balance": True,
            "reference_id": key,
            "narration": re.sub(r"[^A-Za-z0-9 ]+", " ", reference)[:30],
            "notes": {"reference": reference[:255]},
        }
    )


class RazorpayX:
    """The bank behind RazorpayX's API; a `ports.Bank`."""

    def __init__(self, base_url: str, key: str, account: str, *, total_seconds: float = 10) -> None:
        """Stand ready; `key` is `key_id:key_secret`, `account` the account that pays."""
        self._out = Outgoing("bank", base_url, total_seconds=total_seconds)
        self._account = account
        self._headers = {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}

    @classmethod
    def configured(cls) -> RazorpayX:
        """Take address, key and account from the settings."""
        return cls(settings().bank_url, settings().bank_key, settings().bank_account)

    async def pay(
        self,
        key: str,
        amount_minor: int,
        currency: str,
        beneficiary: Beneficiary,
        reference: str,
    ) -> PayoutAnswer:
        """Send money once per key (`X-Payout-Idempotency`).

        One attempt: the job that asked comes again with the same key. A refusal counts as `failed`
        only when the bank says in the same breath that it has no payout with this key, because
        it also refuses a repeat that differs by a byte, whose first arrival was paid.
        """
        call = Call(
            purpose="pay",
            method="POST",
            url=f"{self._out.base_url}/v1/payouts",
            headers={**self._headers, "X-Payout-Idempotency": key},
            body=payload(self._account, key, amount_minor, currency, beneficiary, reference),
        )
        try:
            answer = await self._out.send(call)
        except OutsideUnavailable:
            return _UNKNOWN
        if answer.ok:
            return _payout_of(answer)
        if answer.busy or answer.status in _OUR_FAULT | _IN_FLIGHT or answer.status < 400:
            return _unknown(answer)
        found = await self._look_up(key)
        if found is None:
            return _unknown(answer)
        if found:
            return found[0].answer()
        return PayoutAnswer(
            state="failed", bank_ref="", raw_status="refused", reason=_refusal(answer)
        )

    async def enquire(self, key: str) -> PayoutAnswer:
        """Look the payout up by its key; `unknown` when there is none or no answer."""
        found = await self._look_up(key)
        return found[0].answer() if found else _UNKNOWN

    async def _look_up(self, key: str) -> list[_Payout] | None:
        """Fetch the payouts with this key; an empty list is the bank's word that it has none."""
        query = urlencode({"account_number": self._account, "reference_id": key})
        call = Call(
            purpose="enquire",
            method="GET",
            url=f"{self._out.base_url}/v1/payouts?{query}",
            headers=self._headers,
            retry=THRICE,
        )
        try:
            answer = await self._out.send(call)
            if not answer.ok:
                return None
            listed = msgspec.json.decode(answer.body, type=_Found).items
        except (OutsideUnavailable, msgspec.DecodeError):
            return None
        return [payout for payout in listed if payout.reference_id == key]


def _payout_of(answer: Answer) -> PayoutAnswer:
    try:
        return msgspec.json.decode(answer.body, type=_Payout).answer()
    except msgspec.DecodeError:
        return _unknown(answer)


def _refusal(answer: Answer) -> str:
    try:
        content: Any = answer.json()
        return str(content["error"]["description"])[:500]
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"HTTP {answer.status}"


def _unknown(answer: Answer) -> PayoutAnswer:
    return PayoutAnswer(
        state="unknown", bank_ref="", raw_status=f"http {answer.status}", reason=_refusal(answer)
    )


class RazorpayXHook:
    """Payout webhooks of RazorpayX; a `ports.Hook[PayoutEvent]`."""

    def __init__(self, webhook_keys: tuple[str, ...]) -> None:
        self._keys = webhook_keys

    @classmethod
    def configured(cls) -> RazorpayXHook:
        """Take the webhook secrets from the settings."""
        return cls(keys_of(settings().bank_webhook_keys))

    def genuine(self, body: bytes, headers: Mapping[str, str], path_secret: str = "") -> bool:
        """Check `X-Razorpay-Signature`, the hex HMAC-SHA256 of the raw body."""
        return signed_by_any(self._keys, body, headers.get("x-razorpay-signature", ""))

    def source_id(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Name the event by `x-razorpay-event-id`, or by its bytes where a proxy dropped that."""
        named = headers.get("x-razorpay-event-id", "")
        return named if 0 < len(named) <= NAME_LIMIT else hashlib.sha256(body).hexdigest()

    def read(self, body: bytes) -> PayoutEvent:
        """Understand the event; the entity's status counts, the event's name does not.

        Raises: EventUnreadable.
        """
        try:
            event = msgspec.json.decode(body, type=_Event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
            raise EventUnreadable(f"RazorpayX: {broken}") from broken
        payout = event.payload.payout.entity
        at = event.created_at
        return PayoutEvent(
            key=payout.reference_id or "",
            bank_ref=payout.id,
            state=STATES.get(payout.status, "unknown"),
            raw_status=payout.status,
            reason=payout.why,
            happened_at=None if at is None else datetime.fromtimestamp(at, UTC),
        )
