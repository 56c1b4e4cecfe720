"""When a customer may claim under a warranty, decided without a database."""

from __future__ import annotations

from datetime import date

import pytest

from doorstep.modules.crm import claims

LAST = date(2027, 3, 31)


def test_the_last_day_counts() -> None:
    claims.check({"ends_on": LAST, "claim_open": False}, LAST)


def test_the_day_after_is_refused_with_the_last_day() -> None:
    with pytest.raises(claims.WarrantyOver) as refused:
        claims.check({"ends_on": LAST, "claim_open": False}, date(2027, 4, 1))
    assert refused.value.facts == {"ends_on": "2027-03-31"}


def test_what_is_open_is_not_claimed_again() -> None:
    with pytest.raises(claims.ClaimStillOpen):
        claims.check({"ends_on": LAST, "claim_open": True}, LAST)


def test_what_is_no_warranty_of_the_parcel_is_missing() -> None:
    with pytest.raises(claims.WarrantyMissing):
        claims.check(None, LAST)
