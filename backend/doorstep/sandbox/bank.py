"""The pretend bank: RazorpayX payouts with idempotency keys, webhooks, and a ledger for tests."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Any
from uuid import uuid4

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from doorstep.core import clock
from doorstep.sandbox.hooks import Webhook
from doorstep.sandbox.world import Here, World, sign

AnyRequest = Request[Any, Any, Any]
Answer = Response[dict[str, Any]]

_KEY = re.compile(r"[A-Za-z0-9\-_ ]{4,36}")


class _Account(msgspec.Struct, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    ifsc: Annotated[str, Meta(max_length=11)]
    account_number: Annotated[str, Meta(min_length=5, max_length=35)]


class _FundAccount(msgspec.Struct, kw_only=True):
    account_type: str
    bank_account: _Account
    contact: dict[str, str]


class _Request(msgspec.Struct, kw_only=True):
    account_number: str
    fund_account: _FundAccount
    amount: Annotated[int, Meta(ge=1)]
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    mode: str
    purpose: str
    queue_if_low_balance: bool
    reference_id: Annotated[str, Meta(max_length=40)]
    narration: Annotated[str, Meta(max_length=30, pattern="^[a-zA-Z0-9 ]*$")]
    notes: Annotated[dict[str, str], Meta(max_length=15)]


class LedgerEntry(msgspec.Struct):
    """One payout that the bank really made; `requests` counts how often it was asked for."""

    id: str
    key: str
    reference: str
    amount: int
    currency: str
    status: str
    requests: int


class Ledger(msgspec.Struct):
    """What the bank paid, in all."""

    payouts: list[LedgerEntry]
    by_key: dict[str, int]
    keys_by_reference: dict[str, list[str]]
    """More than one key for a reference is a tranche paid twice (IM1)."""


def _error(status: int, description: str) -> Answer:
    code = "BAD_REQUEST_ERROR"
    return Response({"error": {"code": code, "description": description}}, status_code=status)


def _entity(row: dict[str, Any]) -> dict[str, Any]:
    settled = clock.now().timestamp() >= row["settles_at"]
    status = row["final_status"] if settled else "processing"
    paid = status == "processed"
    return {
        "id": row["id"],
        "entity": "payout",
        "amount": row["amount"],
        "currency": row["currency"],
        "status": status,
        "reference_id": row["reference_id"],
        "utr": f"UTR{row['id'][5:17].upper()}" if paid else None,
        "fees": 0,
        "tax": 0,
        "failure_reason": "The beneficiary's bank refused." if status == "failed" else None,
        "status_details": {"description": "", "source": "", "reason": ""},
        "notes": {"reference": row["reference"]},
        "created_at": int(row["created_at"]),
    }


def _webhook(world: World, row: dict[str, Any]) -> Webhook:
    """Tell the final state at the time when it will have come true."""
    final = row["final_status"]
    body = msgspec.json.encode(
        {
            "entity": "event",
            "account_id": "acc_sandbox",
            "event": f"payout.{final}",
            "contains": ["payout"],
            "payload": {"payout": {"entity": _entity({**row, "settles_at": 0.0})}},
            "created_at": int(row["settles_at"]),
        }
    )
    headers = {
        "X-Razorpay-Signature": sign(world.bank_webhook_key, body),
        "X-Razorpay-Event-Id": f"ev_{row['id']}_{final}",
    }
    return Webhook(
        "/hooks/bank", headers, body, after=max(row["settles_at"] - clock.now().timestamp(), 0.0)
    )


@post("/v1/payouts", status_code=HTTP_200_OK)
async def create_payout(request: AnyRequest, world: Here) -> Answer:
    """Pay once per key; the same key with other bytes is refused."""
    if not world.may_call_bank(request.headers.get("authorization", "")):
        return _error(401, "Authentication failed")
    key = request.headers.get("x-payout-idempotency", "")
    if not _KEY.fullmatch(key):
        return _error(400, "The X-Payout-Idempotency header is missing or not 4 to 36 characters.")
    body = await request.body()
    known = world.store.row("SELECT * FROM payout WHERE idempotency_key = ?", (key,))
    if known is not None:
        world.store.run("UPDATE payout SET requests = requests + 1 WHERE id = ?", (known["id"],))
        if known["request"] != body.decode():
            return _error(400, "Different request body sent with an idempotency key already used.")
        return Response(_entity(known), status_code=HTTP_200_OK)
    try:
        asked = msgspec.json.decode(body, type=_Request)
    except msgspec.DecodeError as broken:
        return _error(400, str(broken))
    return Response(_entity(_pay(world, key, body, asked)), status_code=HTTP_200_OK)


def _pay(world: World, key: str, body: bytes, asked: _Request) -> dict[str, Any]:
    now = clock.now().timestamp()
    row = {
        "id": f"pout_{base64.b32encode(uuid4().bytes).decode()[:14]}",
        "idempotency_key": key,
        "request": body.decode(),
        "reference": asked.notes.get("reference", ""),
        "reference_id": asked.reference_id,
        "amount": asked.amount,
        "currency": asked.currency,
        "created_at": now,
        "settles_at": now + world.settle_seconds,
        "final_status": "failed" if world.faults.fires("bank", "payout_fails") else "processed",
        "requests": 1,
    }
    world.store.run(
        "INSERT INTO payout VALUES (:id, :idempotency_key, :request, :reference, :reference_id, "
        ":amount, :currency, :created_at, :settles_at, :final_status, :requests)",
        row,
    )
    world.hooks.send("bank", _webhook(world, row))
    return row


@get("/v1/payouts")
async def list_payouts(
    request: AnyRequest,
    world: Here,
    account_number: FromQuery[str] = "",
    reference_id: FromQuery[str] = "",
) -> Answer:
    """Find payouts by their reference."""
    if not world.may_call_bank(request.headers.get("authorization", "")):
        return _error(401, "Authentication failed")
    if not account_number:
        return _error(400, "The account number field is required.")
    found = world.store.rows(
        "SELECT * FROM payout WHERE ? IN ('', reference_id) ORDER BY created_at DESC LIMIT 100",
        (reference_id,),
    )
    items = [_entity(row) for row in found]
    return Response({"entity": "collection", "count": len(items), "items": items})


@get("/v1/payouts/{payout_id:str}")
async def read_payout(request: AnyRequest, world: Here, payout_id: FromPath[str]) -> Answer:
    """Show one payout."""
    if not world.may_call_bank(request.headers.get("authorization", "")):
        return _error(401, "Authentication failed")
    row = world.store.row("SELECT * FROM payout WHERE id = ?", (payout_id,))
    if row is None:
        return _error(400, "The id provided does not exist")
    return Response(_entity(row))


@get("/bank/ledger")
async def read_ledger(world: Here) -> Ledger:
    """Show every payout made, for tests: one per key, one key per reference."""
    rows = world.store.rows("SELECT * FROM payout ORDER BY created_at, id")
    by_key: dict[str, int] = {}
    keys: dict[str, list[str]] = {}
    for row in rows:
        by_key[row["idempotency_key"]] = by_key.get(row["idempotency_key"], 0) + 1
        keys.setdefault(row["reference"], []).append(row["idempotency_key"])
    return Ledger(
        payouts=[
            LedgerEntry(
                id=row["id"],
                key=row["idempotency_key"],
                reference=row["reference"],
                amount=row["amount"],
                currency=row["currency"],
                status=str(_entity(row)["status"]),
                requests=row["requests"],
            )
            for row in rows
        ],
        by_key=by_key,
        keys_by_reference=keys,
    )


ROUTES = [create_payout, list_payouts, read_payout, read_ledger]
