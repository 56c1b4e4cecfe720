"""Finance: what customers paid, the ledger, what vendors are owed and paid, counted cash.

Owns ledger_account, journal_entry, journal_line, payment_event, payment_approval, tranche, payout,
payout_event, cash_count and cash_count_line. Never moves a fulfilment and never reads another
module's rows: flows/settle.py collects the facts and hands them in.
"""
