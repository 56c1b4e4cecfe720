"""What no line of the log may show, and what support needs of it."""

from __future__ import annotations

import json

import pytest

from doorstep.core.logging import HIDDEN, redact

SECRETS = (
    "dst_" + "a" * 43,
    "Bearer abc.def-123",
    "+971501234567",
    "+971 50 123 4567",
    "4111 1111 1111 1111",
    "4111111111111111",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_hidden_in_any_text(secret: str) -> None:
    shown = redact({"event": f"x {secret} y", "deep": [{"traceback": f"'{secret}'"}]})
    assert secret.removeprefix("Bearer ") not in json.dumps(shown)


@pytest.mark.parametrize(
    "name",
    ["password", "pin", "access_token", "otp", "handover_code", "phone", "secret_key"],
)
def test_secrets_are_hidden_by_name(name: str) -> None:
    assert redact({name: "x", "kind": "y"}) == {name: HIDDEN, "kind": "y"}


@pytest.mark.parametrize(
    "harmless",
    ["DS-000001", "019a2b3c-4d5e-7f60-8123-456789abcdef", "2026-11-23T06:38:00.123Z", "100001"],
)
def test_what_support_needs_stays(harmless: str) -> None:
    assert redact({"order": harmless, "stage": 1009}) == {"order": harmless, "stage": 1009}
