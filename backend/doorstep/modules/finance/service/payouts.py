"""Payouts: the intent before the bank is called, and what its words make of it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import clock, db, inbox, outbox
from doorstep.core.clock import now
from doorstep.core.errors import NotFound, Refusal
from doorstep.core.ids import uuid7
from doorstep.core.jobs import RetryAt
from doorstep.modules.finance import sql
from doorstep.modules.finance.rules import payouts as rules
from doorstep.modules.finance.rules import postings
from doorstep.modules.finance.service import ledger


class TrancheMissing(NotFound):
    title = "There is no such tranche."


class TrancheNotReleased(Refusal):
    """Only released tranches are paid; a person cannot hurry one."""

    title = "This tranche is not released."


class PayoutStillLive(Refusal):
    """A second payout could pay twice (IM1)."""

    title = "This tranche has a payout that has paid or still may."


class Payee(msgspec.Struct, frozen=True, kw_only=True):
    """Where money for a vendor goes, as it stands now; copied into the intent (IM8)."""

    name: str
    account_number: str
    bank_code: str
    account_changed_at: datetime | None


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A payout that the bank may be asked for; the same intent always carries the same content."""

    id: UUID
    key: str
    amount_minor: int
    currency: str
    beneficiary_name: str
    beneficiary_account: str
    beneficiary_bank_code: str
    reference: str
    age: timedelta
    """How long ago the bank was asked first."""
    asked_before: bool


class BankWord(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank says of a payout (ports.PayoutAnswer, ports.PayoutEvent), and how it came."""

    state: str
    bank_ref: str
    raw_status: str
    reason: str
    source: str


async def _moment() -> datetime:
    """Tell the time by the database's clock: workers whose own clocks differ share a payout."""
    moment: datetime = await db.value("SELECT now() + $1::interval", clock.offset())
    return moment


async def order(
    tranches: Sequence[dict[str, Any]], payee: Payee, *, attempt: int = 1, by: str = "system"
) -> None:
    """Write the intent to pay these released tranches, and the jobs that carry it out.

    Money to an account that was changed a short while ago waits until that has cooled (IM8).
    """
    if not tranches:
        return
    moment = await _moment()
    not_before = rules.not_before(moment, payee.account_changed_at)
    ids = [rules.payout_id(tranche["id"], attempt) for tranche in tranches]
    await db.execute(
        sql.ORDER_PAYOUTS,
        payee.name,
        payee.account_number,
        payee.bank_code,
        by,
        not_before,
        moment,
        ids,
        [tranche["id"] for tranche in tranches],
        [attempt] * len(tranches),
    )
    for payout_id, tranche in zip(ids, tranches, strict=True):
        await outbox.add(
            "finance.pay_tranche",
            {"payout_id": str(payout_id)},
            key=f"pay:{tranche['id']}:{attempt}",
            run_at=not_before if not_before > moment else None,
        )
    await inbox.key_appeared(*(f"payout:{payout_id}" for payout_id in ids))


@db.transactional
async def order_again(tranche_id: UUID, payee: Payee, *, by: str) -> int:
    """Pay a tranche once more, on a person's word, after the bank failed or took the money back.

    Returns the number of the new attempt.

    Raises: TrancheMissing; TrancheNotReleased; PayoutStillLive.
    """
    tranche = await db.row(sql.LOCK_TRANCHE_FOR_PAYOUT, tranche_id)
    if tranche is None:
        raise TrancheMissing
    if tranche["state"] != "released" or not tranche["amount_minor"]:
        raise TrancheNotReleased
    if tranche["live"]:
        raise PayoutStillLive
    attempt: int = tranche["attempts"] + 1
    await order([tranche], payee, attempt=attempt, by=by)
    return attempt


@db.transactional
async def begin(payout_id: UUID) -> Intent | None:
    """Commit to asking the bank: afterwards the money may be under way, whatever happens here.

    Returns None when there is nothing to ask any more, because the bank has answered.

    Raises: RetryAt while a change of the account cools (IM8).
    """
    row = await db.row(sql.LOCK_PAYOUT, payout_id)
    if row is None or row["state"] not in ("due", "sending", "unknown"):
        return None
    fresh = row["state"] == "due"
    moment = await _moment()
    if fresh and row["not_before"] > moment:
        raise RetryAt(row["not_before"], "The vendor's account was changed a short while ago.")
    if fresh:
        await db.execute(sql.SEND_PAYOUT, payout_id, moment)
    return Intent(
        id=row["id"],
        key=row["key"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        beneficiary_name=row["beneficiary_name"],
        beneficiary_account=row["beneficiary_account"],
        beneficiary_bank_code=row["beneficiary_bank_code"],
        reference=f"{row['po_number']} V{row['number']}",
        age=moment - (row["sent_at"] or moment),
        asked_before=not fresh,
    )


@db.transactional
async def hear(payout_id: UUID, word: BankWord) -> str:
    """Apply a word of the bank to a payout, with its ledger entries; return the payout's state."""
    row = await db.one(sql.LOCK_PAYOUT, payout_id)
    return await _apply(row, word)


@db.transactional
async def hear_event(key: str, word: BankWord) -> str | None:
    """Apply a word that came by webhook; None when no payout has this key or bank reference."""
    row = await db.row(sql.LOCK_PAYOUT_OF_EVENT, key, word.bank_ref)
    return None if row is None else await _apply(row, word)


async def _apply(row: dict[str, Any], word: BankWord) -> str:
    await db.execute(
        sql.RECORD_WORD,
        uuid7(),
        row["id"],
        word.state,
        word.raw_status,
        word.bank_ref,
        word.reason,
        word.source,
        now(),
    )
    state = rules.next_state(row["state"], word.state, word.raw_status)
    if state == row["state"] and (not word.bank_ref or word.bank_ref == row["bank_ref"]):
        return state
    if state in rules.LIVE and row["state"] not in rules.LIVE and await _other_live(row):
        # It was paid a second time after a person had ordered it again: money is out twice, and
        # only people can get it back. The row stays as it is, so that IM1 holds for the rest.
        await _ask_person(row, "payout_paid_twice", "A tranche may have been paid twice.", word)
        return str(row["state"])
    await db.execute(sql.ANSWER_PAYOUT, row["id"], state, word.bank_ref, word.reason, now())
    if word.bank_ref:
        # A webhook that names the payout by the bank's own reference alone may have come before.
        await inbox.key_appeared(f"payout:{word.bank_ref}")
    await ledger.post(_entries(row, state))
    if state in ("failed", "reversed"):
        await _ask_person(row, f"payout_{state}", f"The bank did not pay: {state}.", word)
    return state


def _entries(row: dict[str, Any], state: str) -> list[postings.Entry]:
    origin = postings.Origin(
        currency=row["currency"], occurred_at=now(), order_id=row["order_id"], po_id=row["po_id"]
    )
    paid = postings.payout_paid(row["id"], row["amount_minor"], origin)
    if state == "paid":
        return [paid]
    if state == "reversed":
        # Whether or not we had heard that it was paid, what came back had gone out before: so the
        # ledger ends the same in whatever order the words come.
        return [paid, postings.payout_reversed(row["id"], row["amount_minor"], origin)]
    return []


async def _other_live(row: dict[str, Any]) -> bool:
    return bool(await db.value(sql.OTHER_LIVE, row["tranche_id"], row["id"]))


async def _ask_person(row: dict[str, Any], kind: str, title: str, word: BankWord) -> None:
    await outbox.add(
        "helpdesk.open_problem",
        {
            "kind": kind,
            "title": f"{row['po_number']} V{row['number']}: {title}",
            "detail": word.reason or word.raw_status,
            "ref": str(row["id"]),
            "order_id": str(row["order_id"]),
            "owner_role": "finance",
        },
        order_id=row["order_id"],
        key=f"problem:{kind}:{row['id']}",
    )


@db.transactional
async def give_up(payout_id: UUID) -> None:
    """Leave a payout whose key the bank has forgotten to a person (IM6)."""
    await doubt(payout_id)
    await outbox.done()


@db.transactional
async def doubt(payout_id: UUID) -> None:
    """Ask a person, once, about a payout of which the bank has not said how it ended (IM6)."""
    row = await db.one(sql.LOCK_PAYOUT, payout_id)
    word = BankWord(
        state="unknown",
        bank_ref="",
        raw_status="",
        reason="The bank has given no final answer.",
        source="job",
    )
    await _ask_person(row, "payout_unknown", "nobody knows whether the bank paid.", word)
