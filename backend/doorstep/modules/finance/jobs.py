"""The one job that pays: intent committed first, then the bank, then its answer with the ledger."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep import ports
from doorstep.core import db, outbox
from doorstep.core.clock import now
from doorstep.core.failpoints import failpoint
from doorstep.core.jobs import RetryAt, job
from doorstep.modules.finance.rules.payouts import KEY_LIFE, ask_again_in
from doorstep.modules.finance.service import payouts
from doorstep.modules.finance.service.payouts import BankWord, Intent


@job("finance.pay_tranche", queue="money", timeout=45)
async def pay_tranche(payload: dict[str, Any]) -> None:
    """Have the bank pay a released tranche, exactly once: {payout_id}.

    Wherever this dies, it is run again and asks with the same key (IM6). A bank that gives no
    answer is asked again later; once it may have forgotten the key, only a person decides.

    Raises: RetryAt while the outcome is open.
    """
    payout_id = UUID(payload["payout_id"])
    intent = await payouts.begin(payout_id)
    if intent is None:
        return
    answer = await _ask(intent)
    if answer is None:
        await payouts.give_up(payout_id)
        return
    state = await _record(payout_id, answer, late=intent.age > KEY_LIFE)
    if state in ("sending", "unknown"):
        again = now() + ask_again_in(intent.age)
        raise RetryAt(again, f"The bank says {answer.raw_status or answer.state}.")


async def _ask(intent: Intent) -> ports.PayoutAnswer | None:
    """Call the bank outside any transaction; None when asking to pay is no longer allowed."""
    bank = ports.bank()
    if intent.asked_before:
        failpoint("bank.before_enquire")
        known = await bank.enquire(intent.key)
        failpoint("bank.after_enquire")
        if known.state != "unknown":
            return known
        if intent.age > KEY_LIFE:
            return None
    beneficiary = ports.Beneficiary(
        name=intent.beneficiary_name,
        account_number=intent.beneficiary_account,
        bank_code=intent.beneficiary_bank_code,
    )
    failpoint("bank.before_pay")
    answer = await bank.pay(
        intent.key, intent.amount_minor, intent.currency, beneficiary, intent.reference
    )
    failpoint("bank.after_pay")
    return answer


@db.transactional
async def _record(payout_id: UUID, answer: ports.PayoutAnswer, *, late: bool) -> str:
    """Keep the answer, its ledger entries and the end of this job in one transaction.

    `late`: it has been under way for so long that a person is asked, while we ask the bank on.
    """
    word = BankWord(
        state=answer.state,
        bank_ref=answer.bank_ref,
        raw_status=answer.raw_status,
        reason=answer.reason,
        source="answer",
    )
    state = await payouts.hear(payout_id, word)
    if state not in ("sending", "unknown"):
        await outbox.done()
    elif late:
        await payouts.doubt(payout_id)
    return state
