"""What only days bring, on real processes: they are let pass at once, and all of it ends as declared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doorstep.core import clock
from doorstep.core.embedded import EmbeddedStack
from doorstep.play.calendar import DAYS_LATER
from doorstep.play.order import Plan
from doorstep.play.simulation import SOLD_OUT, perform
from tests.support import reckoning
from tests.support.whole_stack import WholeStack, whole_stack

PLANS = (
    Plan(number=1, trouble="vendor is silent"),
    Plan(number=2, channel="QA", trouble="pays too late"),
    Plan(number=3, channel="IN", trouble="hold runs out"),
    Plan(number=4, channel="KW", trouble="date passes", lines=SOLD_OUT),
    Plan(number=5, channel="KW", trouble="date passes", lines=SOLD_OUT, payment="cashondelivery"),
    Plan(number=6),
)

PASSED_BY = """
SELECT o.external_id, f.ended_as, array_agg(rtrim(d.kind || ' ' || d.reason)) AS kinds
  FROM customer_order o JOIN fulfilment f ON f.order_id = o.id
  JOIN detour_case d ON d.fulfilment_id = f.id
 GROUP BY 1, 2, f.id
"""


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[WholeStack]:
    """A stack whose time may pass: no other test lives in it."""
    async with whole_stack(tmp_path / "own", fsync=False) as running:
        yield running
    clock.set_now(None)


async def test_what_only_time_brings_ends_as_declared(own: WholeStack) -> None:
    result = await perform(own.base_url, own.sandbox_url, PLANS, turn=own.running.move_time)
    assert result.ok, f"{result.failures}\n{own.logs()}"
    assert result.ends == {"100 %": 5, "replaced": 1, "cancelled": 1}
    passed_by = {
        (row["ended_as"], kind) for row in await own.rows(PASSED_BY) for kind in row["kinds"]
    }
    assert passed_by >= {
        ("replaced", "vendor_declined silent"), (None, "payment_expired"),
        ("cancelled", "payment_expired"), ("cancelled", "cancelled unpaid"), (None, "short_stock"),
    }  # fmt: skip
    await reckoning.check_goods(own)
    await reckoning.check_doctor(own)

    # Whoever comes to the data later lives in their time, until they are deleted.
    assert EmbeddedStack(own.embedded.folder).clock_offset() == DAYS_LATER == clock.offset()
    (last,) = await own.rows("SELECT max(recorded_at) AS at FROM journey_event")
    assert abs((clock.now() - last["at"]).total_seconds()) < 600
