"""Checkout.com: payment links, by which a customer pays on a page of theirs (`POST /payment-links`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from doorstep.adapters.client import THRICE_KEYED, Call, Outgoing
from doorstep.adapters.times import parse_time
from doorstep.core.clock import now
from doorstep.ports import EventUnreadable, MadeLink, OutsideUnavailable
from doorstep.settings import settings


class _Href(msgspec.Struct):
    href: Annotated[str, Meta(pattern=r"^https?://[!-~]+$", max_length=300)]


class _Links(msgspec.Struct):
    redirect: _Href


class _Made(msgspec.Struct, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=100)]
    # The only one of these that their reference does not promise.
    expires_on: str | None = None
    links: _Links = msgspec.field(name="_links")


class CheckoutLinks:
    """Payment links of Checkout.com; a `ports.PaymentLinks`."""

    def __init__(self, base_url: str, secret_key: str) -> None:
        self._out = Outgoing("checkout", base_url)
        self._headers = {"Authorization": f"Bearer {secret_key}"}

    @classmethod
    def configured(cls) -> CheckoutLinks:
        """Take address and key from the settings."""
        return cls(settings().checkout_url, settings().checkout_secret_key)

    async def make(
        self, key: str, reference: str, amount_minor: int, currency: str, country: str, seconds: int
    ) -> MadeLink:
        """Have a link made once per key (`Cko-Idempotency-Key`).

        Raises: OutsideUnavailable, OutsideRefused.
        """
        body = {
            "amount": amount_minor,
            "currency": currency,
            "reference": reference,
            "billing": {"address": {"country": country}},
            "expires_in": seconds,
            "capture": True,
        }
        call = Call(
            purpose="make_link",
            method="POST",
            url=f"{self._out.base_url}/payment-links",
            headers={**self._headers, "Cko-Idempotency-Key": key},
            body=msgspec.json.encode(body),
            retry=THRICE_KEYED,
        )
        answer = await self._out.expect(call)
        try:
            made = msgspec.json.decode(answer.body, type=_Made)
            ends = now() + timedelta(seconds=seconds)
            if made.expires_on is not None:
                ends = parse_time(made.expires_on)
            return MadeLink(made.id, made.links.redirect.href, ends)
        except (msgspec.DecodeError, EventUnreadable) as broken:
            raise OutsideUnavailable(f"Checkout.com: {broken}") from broken
