"""The pictures of a phone that was shut out: what its captures name, proven by chunk (IC4, IC5)."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core import limits, uploads
from doorstep.core.captures import surrendered_pictures
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.play.phone_key import PhoneKey
from tests.factories.company import Company
from tests.factories.journeys import standing
from tests.factories.phone_keys import key_of
from tests.factories.snapshots import everything
from tests.factories.surrender import CHUNK, Surrender, SurrenderedPicture, device_of
from tests.factories.sync import Phone, unannounced
from tests.support.pictures import make_jpeg


def naming(phone: Phone, content: bytes) -> dict[str, Any]:
    event = unannounced(phone)
    event["payload"]["photo_sha256"] = hashlib.sha256(content).hexdigest()
    return event


async def shut_out(phone: Phone) -> None:
    path = f"/api/devices/{await device_of(phone)}/revoke"
    assert (await phone.company.send("admin", path, {})).status_code == 204


async def surrendered(company: Company, content: bytes) -> SurrenderedPicture:
    """Let a phone that was shut out surrender a capture that names this picture."""
    phone = Phone(company, "warehouse")
    await shut_out(phone)
    answer = await (await Surrender.of(phone, naming(phone, content))).send()
    assert [one["verdict"] for one in answer.json()["receipts"]] == ["review"]
    return await SurrenderedPicture.of(phone, content)


@pytest.fixture
def photo() -> bytes:
    return make_jpeg(1200, 900, seed=5)


async def test_a_picture_goes_up_from_where_the_line_broke(company: Company, photo: bytes) -> None:
    picture = await surrendered(company, photo)
    asked = await picture.ask()
    assert (asked.status_code, asked.headers["Upload-Offset"]) == (200, "0")
    assert (await picture.send(0)).headers["Upload-Offset"] == str(CHUNK)
    again = await picture.send(0)
    assert (again.status_code, again.headers["Upload-Offset"]) == (204, str(CHUNK))
    ahead = await picture.send(2 * CHUNK)
    assert (ahead.status_code, ahead.headers["Upload-Offset"]) == (409, str(CHUNK))
    assert (await picture.ask()).headers["Upload-Offset"] == str(CHUNK)
    last = await picture.send_all()
    assert (last.status_code, last.headers["Upload-Complete"]) == (204, "?1")
    assert await uploads.verified(picture.sha256)
    await company.work()
    assert await core_db.value("SELECT count(*) FROM picture WHERE sha256 = $1", picture.sha256)
    assert (await picture.ask()).headers["Upload-Complete"] == "?1"


async def test_what_was_begun_in_a_session_goes_on_without_one(
    company: Company, photo: bytes
) -> None:
    """The proof was captured and handed in before; its picture alone was still on the phone."""
    order = await standing(company, 1012)
    phone = Phone(company, "delivery")
    sha256 = hashlib.sha256(photo).hexdigest()
    step = await order.pod(photos=[{"slot": "parcel", "sha256": sha256}])
    [receipt] = await phone.push(phone.of(step.path, step.body))
    assert receipt["verdict"] == "applied"
    sizes = {"Upload-Offset": "0", "Upload-Length": str(len(photo))}
    headers = company.users["delivery"].headers | sizes
    await company.http.patch(f"/uploads/{sha256}", content=photo[:CHUNK], headers=headers)
    await shut_out(phone)
    picture = await SurrenderedPicture.of(phone, photo)
    assert (await picture.ask()).headers["Upload-Offset"] == str(CHUNK)
    assert (await picture.send_all()).headers["Upload-Complete"] == "?1"


async def test_nothing_is_taken_that_no_capture_of_this_phone_names(
    company: Company, photo: bytes
) -> None:
    picture = await surrendered(company, photo)
    courier = Phone(company, "courier")
    others = await SurrenderedPicture.of(courier, photo)
    unnamed = await SurrenderedPicture.of(picture.phone, make_jpeg(40, 30, seed=9))
    before = await everything()
    for wrong in (others, unnamed):
        assert (await wrong.ask()).status_code == 404
        refused = await wrong.send(0)
        assert (refused.status_code, refused.json()["type"]) == (
            404, "/problems/picture-not-awaited",
        )  # fmt: skip
    assert await everything() == before
    # Whose it is does not come with the hash: another phone that names it begins anew.
    await picture.send_all()
    await (await Surrender.of(courier, naming(courier, photo))).send()
    assert (await others.ask()).headers["Upload-Complete"] == "?0"


async def attack(picture: SurrenderedPicture, how: str) -> Any:
    chunk = picture.content[:CHUNK]
    whole = len(picture.content)
    proof = picture.signed(f"PATCH {picture.path} 0/{whole}", chunk)
    if how == "another chunk":
        return await picture.send(0, chunk=chunk[:-1], headers=proof)
    if how == "another place":
        return await picture.send(1, headers=proof)
    if how == "another length":
        return await picture.send(0, length=whole + 1, headers=proof)
    if how == "another picture":
        said = f"PATCH {picture.path[:-1]}0 0/{whole}"
        return await picture.send(0, headers=picture.signed(said, chunk))
    if how == "signed as a question":
        return await picture.send(0, headers=picture.signed(f"HEAD {picture.path}", chunk))
    if how == "signed as a surrender":
        said = "POST /field/sync/surrender"
        return await picture.send(0, headers=picture.signed(said, chunk))
    if how == "unknown device":
        picture.device_id = uuid7()
    elif how == "another key":
        picture.key = PhoneKey()
    elif how == "the key of another device":
        picture.key = key_of(picture.phone.company.users["courier"].headers)
    else:
        picture.late = timedelta(minutes=-6 if how == "old" else 6)
    return await picture.send(0)


async def test_every_attack_gets_the_same_answer_and_leaves_nothing(
    company: Company, photo: bytes
) -> None:
    kept = await surrendered(company, photo)
    before = await everything()
    told = set()
    for how in (
        "another chunk", "another place", "another length", "another picture", "signed as a question",
        "signed as a surrender", "unknown device", "another key", "the key of another device", "old",
        "from the future",
    ):  # fmt: skip
        answer = await attack(await SurrenderedPicture.of(kept.phone, photo), how)
        assert answer.status_code == 401, how
        said = answer.json()
        learned = answer.headers["Doorstep-Server-Time"]
        assert said.pop("server_time") == learned
        assert abs(datetime.fromisoformat(learned) - now()) < timedelta(minutes=1)
        said.pop("request_id")
        told.add(str(sorted(said.items())))
    assert len(told) == 1
    assert await everything() == before


async def test_a_question_that_is_refused_tells_the_time_in_its_head(
    company: Company, photo: bytes
) -> None:
    picture = await surrendered(company, photo)
    picture.late = timedelta(days=2)
    refused = await picture.ask()
    assert (refused.status_code, refused.content) == (401, b"")
    told = datetime.fromisoformat(refused.headers["Doorstep-Server-Time"])
    assert abs(told - now()) < timedelta(minutes=1)


async def test_sizes_and_hash_are_checked_as_at_an_upload(company: Company) -> None:
    content = make_jpeg(80, 60, seed=4)
    picture = await surrendered(company, content)
    statuses = [
        (await picture.send(0, chunk=b"")).status_code,
        (await picture.send(0, chunk=b"x" * (uploads.MAX_CHUNK + 1))).status_code,
        (await picture.send(0, length=uploads.MAX_LENGTH + 1)).status_code,
        (await picture.send(0, length=0)).status_code,
        (await picture.send(0, length=4)).status_code,
    ]
    assert statuses == [422, 413, 422, 422, 422]
    wrong = await picture.send(0, chunk=b"x" * len(content))
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/hash-disagrees")
    assert not await uploads.verified(picture.sha256)
    assert (await picture.send(0)).headers["Upload-Complete"] == "?1"


async def test_the_proof_opens_no_picture_and_no_upload_of_a_session(
    company: Company, photo: bytes
) -> None:
    picture = await surrendered(company, photo)
    await picture.send_all()
    http = company.http
    proof = picture.signed(f"HEAD {picture.path}", b"")
    assert (await http.get(picture.path, headers=proof)).status_code == 405
    assert (await http.head(f"/uploads/{picture.sha256}", headers=proof)).status_code == 401
    opened = await http.get(f"/pictures/{picture.sha256}/large", headers=proof)
    assert opened.status_code in (403, 404)


async def test_a_phone_brings_no_more_than_it_can_have_kept(
    company: Company, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await surrendered(company, photo)
    monkeypatch.setattr(surrendered_pictures, "MOST_A_DAY", 0)
    refused = await picture.send(0)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    monkeypatch.undo()
    assert (await picture.send(0)).status_code == 204
    monkeypatch.setattr(surrendered_pictures, "MOST_A_DAY", 0)
    assert (await picture.send(CHUNK)).status_code == 204, "what was begun goes on"


async def test_a_phone_that_sends_too_often_waits(
    company: Company, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = limits.Bucket(burst=3, per_minute=1)
    monkeypatch.setitem(limits.CLASSES, "surrender_picture_device", few)
    picture = await surrendered(company, photo)
    answers = [(await picture.send(0)).status_code for _ in range(5)]
    assert answers == [204, 204, 204, 429, 429]


async def test_the_same_chunk_many_times_at_once_is_kept_once(
    company: Company, photo: bytes
) -> None:
    picture = await surrendered(company, photo)
    answers = await asyncio.gather(*(picture.send(0) for _ in range(8)))
    assert {one.status_code for one in answers} <= {204, 409}
    assert await core_db.value("SELECT count(*) FROM upload_part") == 1
    assert (await picture.send_all()).headers["Upload-Complete"] == "?1"
