"""What a phone signs, byte by byte: its own code signs here, and the server's must verify it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from doorstep.core.auth.device_keys import PublicKey, Verifier, point_of
from doorstep.core.auth.errors import KeyNotOnCurve
from doorstep.core.captures.canonical import NotCanonical, signed_bytes
from doorstep.core.captures.envelope import as_sent, open_batch, read
from doorstep.play.phone_key import PhoneKey
from tests.factories.phone_keys import signed
from tests.unit.test_pwa import NODE, PWA

SCRIPT = PWA.parent / "tests" / "payloads" / "sign.mjs"
CANONICAL = PWA / "src" / "shared" / "sync" / "canonical.ts"
BASE_X = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"
"""Of the curve's own base point: with another y it lies beside the curve."""

EVENT = {
    "event_id": "01a2189e-6d15-7735-bff0-1819bf70097f", "type": "pod.record", "schema": 1,
    "lane": "stop:1", "device_seq": 1, "captured_at": "2026-11-26T10:00:00Z", "mono_ms": 7,
    "boot": "01a2189e-6d17-7e65-8175-08e9cb09851e", "payload": {"note": "fine", "n": [1, 2.5]},
    "sig": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def signed_in_node() -> dict[str, Any]:
    """Sign the events of sign.mjs with the field app's code."""
    node = subprocess.run(
        [str(NODE), str(SCRIPT), CANONICAL.as_uri()], capture_output=True, timeout=60, check=False
    )
    assert node.returncode == 0, node.stderr.decode()
    found: dict[str, Any] = json.loads(node.stdout)
    return found


def test_what_the_field_app_signs_the_server_verifies(signed_in_node: dict[str, Any]) -> None:
    """Numbers, half characters and names beyond the first plane included."""
    key = Verifier(point_of(msgspec.convert(signed_in_node["key"], PublicKey)))
    texts = [one["sent"].encode() for one in signed_in_node["events"]]
    assert len(texts) == 7
    for text, one in zip(texts, signed_in_node["events"], strict=True):
        assert signed_bytes(text).decode() == one["signed"]
    body = b'{"app_version":"1","sent_at":"","events":[%b]}' % b",".join(texts)
    raws = [bytes(raw) for raw in open_batch(body).events]
    for raw, sent in zip(raws, as_sent(body, raws), strict=True):
        assert read(raw, sent, key).signature == "valid"


def test_any_other_byte_breaks_the_signature(signed_in_node: dict[str, Any]) -> None:
    key = Verifier(point_of(msgspec.convert(signed_in_node["key"], PublicKey)))
    text = signed_in_node["events"][1]["sent"].encode()
    whole = msgspec.json.decode(text)
    assert read(text, text, key).signature == "valid"
    changes: dict[str, Any] = {
        "event_id": whole["boot"], "type": "pod.recorD", "schema": 2, "lane": "stop:2",
        "device_seq": 3, "captured_at": "2026-11-26T10:00:00Z", "mono_ms": 2,
        "boot": whole["event_id"], "payload": {}, "of_a_newer_phone": [2], "added": 1,
    }  # fmt: skip
    for name, value in changes.items():
        other = msgspec.json.encode(whole | {name: value})
        assert read(other, other, key).signature == "wrong", name
    spaced = msgspec.json.format(text)
    assert read(spaced, spaced, key).signature == "valid"


@pytest.mark.parametrize(
    ("sig", "signature"),
    [
        (None, "missing"), ("", "wrong"), ("A" * 86, "wrong"), ("A" * 85, "wrong"),
        ("_" * 86, "wrong"), ("é" * 86, "wrong"), ("A" * 200, "wrong"),
    ],
)  # fmt: skip
def test_what_is_no_signature(sig: str | None, signature: str) -> None:
    key = PhoneKey()
    raw = msgspec.json.encode(EVENT | {"sig": sig})
    assert read(raw, raw, Verifier(point_of(key.public))).signature == signature


def test_of_what_cannot_be_read_nobody_knows() -> None:
    key = Verifier(point_of(PhoneKey().public))
    assert read(b"7", b"7", key).signature is None


@pytest.mark.parametrize(
    "broken", [b"", b"[]", b"{", b'{"a":NaN}', b'{"a":1e999}', b"\xff", b'{"a":' + b"[" * 5000]
)
def test_what_no_phone_has_written_has_no_signed_bytes(broken: bytes) -> None:
    with pytest.raises(NotCanonical):
        signed_bytes(broken)


@pytest.mark.parametrize(
    ("x", "y"), [("A" * 43, "A" * 43), ("_" * 43, "_" * 43), (BASE_X, "A" * 43)]
)
def test_a_point_beside_the_curve_is_no_key(x: str, y: str) -> None:
    with pytest.raises(KeyNotOnCurve):
        point_of(PublicKey(kty="EC", crv="P-256", x=x, y=y))


@pytest.mark.parametrize(
    "other", [{"kty": "RSA"}, {"crv": "P-384"}, {"x": "AA"}, {"d": "A" * 43}, {"y": None}]
)
def test_what_is_no_public_key_of_p256_is_not_read(other: dict[str, Any]) -> None:
    given = msgspec.to_builtins(PhoneKey().public) | other
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, PublicKey)


def test_a_signature_costs_little(record_property: Callable[[str, object], None]) -> None:
    """A whole batch of a hundred then keeps the loop for some ten milliseconds."""
    key = PhoneKey()
    raw = msgspec.json.encode(signed(EVENT, key))
    verifier = Verifier(point_of(key.public))
    costs = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(100):
            assert read(raw, raw, verifier).signature == "valid"
        costs.append((time.perf_counter() - began) * 10_000)
    record_property("µs per event", round(min(costs), 1))
    print(f"read and verified in {min(costs):.0f} µs per event")
    assert min(costs) < 1_000
