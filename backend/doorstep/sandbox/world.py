"""The pretend world's parts, and the secrets it shares with Doorstep."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from litestar.di import NamedDependency

from doorstep.sandbox.faults import Faults
from doorstep.sandbox.hooks import Hooks
from doorstep.sandbox.store import Store
from doorstep.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What every handler of the sandbox works with."""

    store: Store
    faults: Faults
    hooks: Hooks
    shop_token: str
    checkout_key: str
    checkout_secret: str
    clickpost_key: str
    clickpost_path_secret: str
    bank_key: str
    bank_webhook_key: str
    messaging_key: str
    whatsapp_token: str
    whatsapp_secret: str
    twilio_account: str
    twilio_token: str
    msg91_key: str
    msg91_path_secret: str
    public_url: str
    """The address that Doorstep gives to others, over which Twilio signs."""
    settle_seconds: float
    """How long a payout stays `processing`."""

    def may_call_shop(self, authorization: str) -> bool:
        """Check the bearer token; a signed call is taken as it is."""
        return authorization.startswith("OAuth ") or _equal(
            authorization, f"Bearer {self.shop_token}"
        )

    def may_make_links(self, authorization: str) -> bool:
        """Check Checkout.com's secret key."""
        return _equal(authorization, f"Bearer {self.checkout_secret}")

    def may_call_bank(self, authorization: str) -> bool:
        """Check key_id:key_secret."""
        expected = base64.b64encode(self.bank_key.encode()).decode()
        return _equal(authorization, f"Basic {expected}")

    def may_send_messages(self, authorization: str) -> bool:
        """Check the messaging key."""
        return _equal(authorization, f"Bearer {self.messaging_key}")


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def sign(key: str, body: bytes) -> str:
    """Sign as Checkout.com and Razorpay do: hex HMAC-SHA256 over the raw body."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def first_key(setting: str) -> str:
    """Take the first of comma-separated keys: the one that signs while two are valid."""
    return setting.split(",", maxsplit=1)[0].strip()


def build_world(settings: Settings, *, settle_seconds: float) -> World:
    """Open the store and take the secrets from the settings."""
    store, faults = Store(settings.sandbox_state), Faults()
    return World(
        store=store,
        faults=faults,
        hooks=Hooks(store, faults, settings.sandbox_target_url or settings.public_url),
        shop_token=settings.shop_token,
        checkout_key=first_key(settings.checkout_signing_keys),
        checkout_secret=settings.checkout_secret_key,
        clickpost_key=first_key(settings.clickpost_webhook_keys),
        clickpost_path_secret=first_key(settings.clickpost_path_secrets),
        bank_key=settings.bank_key,
        bank_webhook_key=first_key(settings.bank_webhook_keys),
        messaging_key=settings.messaging_key,
        whatsapp_token=settings.whatsapp_token,
        whatsapp_secret=first_key(settings.whatsapp_app_secrets),
        twilio_account=settings.twilio_account_sid,
        twilio_token=first_key(settings.twilio_auth_tokens),
        msg91_key=settings.msg91_auth_key,
        msg91_path_secret=first_key(settings.msg91_path_secrets),
        public_url=settings.public_url.rstrip("/"),
        settle_seconds=settle_seconds,
    )


Here = NamedDependency[World]
"""How a handler asks for the world."""
