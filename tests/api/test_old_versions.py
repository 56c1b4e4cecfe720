"""Phones that were not updated: the version before is understood, older ones are asked to update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema_rs
import msgspec

from doorstep.commands import describe
from doorstep.core import db as core_db
from doorstep.doors.field.captured import CAPTURES
from tests.api.test_sync_types import mishaps
from tests.factories.company import Company
from tests.factories.journeys import standing
from tests.factories.pulls import PULL
from tests.factories.sync import Phone, SyncedCompany, kept_goods, unannounced

EARLIER = {name for name, one in CAPTURES.items() if one.earlier is not None}


async def pull(company: Company, version: str | None) -> Any:
    headers = {} if version is None else {"Doorstep-App-Version": version}
    return await company.http.get(PULL, headers=company.users["warehouse"].headers | headers)


async def test_a_version_that_is_too_old_is_told_the_one_it_needs_and_loses_nothing(
    company: Company, oldest_app: Callable[[str], None]
) -> None:
    oldest_app("1.10.0")
    phone = Phone(company, "warehouse", app_version="1.9.4")
    event = unannounced(phone)
    for answer in (await phone.send(event), await pull(company, "1.9.4")):
        assert answer.status_code == 426
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert told["type"] == "/problems/app-too-old"
        assert (told["have"], told["wanted"]) == ("1.9.4", "1.10.0")
    assert await core_db.value("SELECT count(*) FROM capture") == 0
    device = await core_db.value(
        "SELECT app_version FROM device WHERE person_id = $1", company.users["warehouse"].id
    )
    assert device == "1.9.4", "desks see why it is silent"
    phone.app_version = "1.10"
    [receipt] = await phone.push(event)
    assert (receipt["verdict"], await kept_goods()) == ("applied", 1)
    assert (await pull(company, "1.10")).status_code == 200


async def test_what_is_new_enough_or_cannot_be_read_is_let_in(
    company: Company, oldest_app: Callable[[str], None]
) -> None:
    oldest_app("1.10.0")
    phone = Phone(company, "warehouse")
    for version in (None, "", "nightly", "1.10.0", "2"):
        assert (await pull(company, version)).status_code == 200, version
        phone.app_version = version or ""
        assert (await phone.send(unannounced(phone))).status_code == 200, version


# --- The version before --------------------------------------------------------------------------


def without_previews(payload: Any) -> Any:
    photos = [
        {name: value for name, value in photo.items() if name != "preview_sha256"}
        for photo in payload.get("photos", [])
    ]
    return payload | ({"photos": photos} if "photos" in payload else {})


def without_a_code(payload: Any) -> Any:
    return {name: value for name, value in payload.items() if name != "handover_code"}


def without_goods(payload: Any) -> Any:
    boxes = [{n: v for n, v in box.items() if n != "goods"} for box in payload["pieces"]]
    return payload | {"pieces": boxes}


BEFORE: dict[str, Callable[[Any], Any]] = dict.fromkeys(
    ("pod.record", "delivery.failed", "visit.complete", "visit.fail", "visit.finding"),
    without_previews,
) | {"proof.appeal": without_a_code, "pack.close": without_goods}
"""Type → what makes a payload of the number before; whoever lets a number grow adds it here."""


async def test_a_full_outbox_of_the_version_before_is_carried_out(company: Company) -> None:
    assert set(BEFORE) == EARLIER
    synced = SyncedCompany.of(company, BEFORE)
    order = await standing(synced, 1018)
    assert 1018 in await order.passed()
    await mishaps(synced)
    assert set(synced.captured) >= EARLIER
    promised = msgspec.json.decode((describe.FOLDER / describe.CAPTURES).read_bytes())
    rows = await core_db.rows("SELECT type, schema_version, verdict, body FROM capture")
    seen = set()
    for row in rows:
        if row["type"] not in EARLIER:
            continue
        seen.add(row["type"])
        assert row["schema_version"] == CAPTURES[row["type"]].schema - 1
        assert row["verdict"] == "applied", row
        schema = promised[row["type"]][str(row["schema_version"])]
        event = msgspec.json.decode(row["body"])
        body = {k: v for k, v in event["payload"].items() if k in schema["properties"]}
        body |= {k: str(event[k]) for k in ("event_id", "captured_at")}
        assert jsonschema_rs.validator_for(schema).is_valid(body), (row["type"], body)
    assert seen == EARLIER
