"""Pure decisions about money: tranches, payments, payouts, postings. No database, no clock."""
