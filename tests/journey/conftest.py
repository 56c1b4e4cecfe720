"""The company that orders travel through, and a history that an intruder may try himself on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from doorstep import journey
from tests.factories.company import Company, open_company
from tests.factories.histories import a_rich_history
from tests.support.intruder import History
from tests.support.stack import Worker


@pytest.fixture
async def company(db: Any, redis: Any, tmp_path: Path) -> AsyncIterator[Company]:
    """Everybody signed in, every reaction and job bound, the bank and the messenger doubles."""
    async with open_company(tmp_path) as opened:
        yield opened


@pytest.fixture
async def history(db: Any, worker: Worker) -> AsyncIterator[History]:
    """Two parcels' history, and a connection that no guard of the schema stops."""
    journey.bind({})
    parcels = await a_rich_history()
    events = await db.rows("SELECT * FROM journey_event ORDER BY fulfilment_id, seq")
    checkpoints = [
        {parcel: head[0] for parcel, head in row["heads"].items()}
        for row in await db.rows("SELECT heads FROM journey_checkpoint ORDER BY seq")
    ]
    url = worker.servers.database_url(worker.database, "postgres")
    intruder = await asyncpg.connect(url)
    try:
        await intruder.execute("SET session_replication_role = replica")
        yield History(intruder, parcels, events, checkpoints)
    finally:
        await intruder.close()
