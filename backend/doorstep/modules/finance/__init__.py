"""Finance: what customers paid, the ledger, what vendors are owed and paid, counted cash.

Owns ledger_account, journal_entry, journal_line, payment_event, approval_policy, approval,
tranche, payout, payout_event, cash_count, cash_count_line, cash_count_extra and door_link. Never moves a
fulfilment and never reads another module's rows: flows/settle.py and flows/approvals.py collect the
facts and hand them in.
"""
