"""The sandbox served over real HTTP, with Doorstep's outgoing client allowed to reach it.

And a company that may be asked as much as the fuzz likes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import structlog

from doorstep import settings as settings_module
from doorstep.adapters import client
from doorstep.core import limits
from doorstep.sandbox.app import create_app
from doorstep.settings import Settings
from tests.contract.served import Receiver, served
from tests.factories.company import Company, open_company

QUIET = structlog.make_filtering_bound_logger(40)


@dataclass
class Outside:
    """The running sandbox: its address, a client for its controls, and who takes its webhooks."""

    url: str
    http: httpx.AsyncClient
    receiver: Receiver
    settings: Settings

    async def fault(self, **fault: object) -> None:
        """Make a system misbehave."""
        (await self.http.post("/_faults", json=fault)).raise_for_status()


def outside_settings(target: str, state: str = "") -> Settings:
    """The secrets that Doorstep and the sandbox share in these tests."""
    return Settings(
        shop_token="shop-token",
        checkout_signing_keys="cko-new,cko-old",
        checkout_secret_key="sk-test",
        clickpost_webhook_keys="cp-key",
        clickpost_path_secrets="cp-path",
        bank_key="rzp_id:rzp_secret",
        bank_webhook_keys="rzp-hook",
        messaging_key="msg-key",
        whatsapp_token="wa-token",
        whatsapp_app_secrets="app-secret,app-secret-old",
        twilio_account_sid="AC1",
        twilio_auth_tokens="auth-token",
        msg91_auth_key="m91-key",
        msg91_path_secrets="m91-path",
        sandbox_target_url=target,
        sandbox_state=state,
    )


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Allow an origin for the test: `allow(url)`."""

    def origin(url: str) -> None:
        monkeypatch.setenv("ALLOWED_ORIGINS", url)
        settings_module.reload()

    yield origin
    monkeypatch.undo()
    settings_module.reload()


@pytest.fixture
async def outside(db: object, allow: object, tmp_path: Path) -> AsyncIterator[Outside]:
    """A fresh sandbox whose webhooks go to a receiver."""
    receiver = Receiver()
    async with served(receiver) as target:
        own = outside_settings(target, str(tmp_path / "sandbox.sqlite"))
        async with (
            served(create_app(own, settle_seconds=0.05)) as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as http,
        ):
            allow(url)  # type: ignore[operator]
            yield Outside(url, http, receiver, own)
            await client.close()


@pytest.fixture
async def company(
    db: object, redis: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Company]:
    """A company whose limits are wide (they are not what is asked about) and whose log is short."""
    for name, bucket in limits.CLASSES.items():
        wide = replace(bucket, burst=10**7, per_minute=10**7)
        monkeypatch.setitem(limits.CLASSES, name, wide)
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=QUIET)
    try:
        async with open_company(tmp_path) as opened:
            yield opened
    finally:
        structlog.configure(wrapper_class=before)
