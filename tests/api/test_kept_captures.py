"""Desks see every capture as it was kept, what became of it, and what waits for them by it (IC1, IC7)."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import Any

import msgspec
import pytest

from doorstep.core.ids import uuid7
from doorstep.modules.helpdesk import service as helpdesk
from tests.factories.company import Company, strangers
from tests.factories.phone_keys import key_of, signed
from tests.factories.snapshots import everything
from tests.factories.surrender import CHUNK, Surrender, SurrenderedPicture, device_of
from tests.factories.sync import PUSH, Phone, unannounced
from tests.support.pictures import make_jpeg

LIST = "/console/captures"


async def shown(company: Company, event_id: Any, who: str = "dispatcher") -> dict[str, Any]:
    found: dict[str, Any] = await company.get(who, f"{LIST}/{event_id}")
    return found


async def listed(company: Company, query: str, who: str = "dispatcher") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await company.get(who, f"{LIST}?{query}"))["items"]
    return found


async def test_poison_is_shown_as_it_came_with_its_words_and_its_problem(company: Company) -> None:
    phone = Phone(company, "warehouse")
    events = [unannounced(phone, lane=f"goods:{n % 7}") for n in range(20)]
    events[13]["payload"] = {"code": 7}
    key = key_of(company.users["warehouse"].headers)
    sent = [signed(event, key) for event in events]
    receipts = await phone.push(*sent)
    await company.work()
    [short] = await listed(company, "verdict=rejected")
    assert short["event_id"] == str(events[13]["event_id"])
    one = await shown(company, short["event_id"])
    assert (one["verdict"], one["reason"]) == ("rejected", receipts[13]["reason"])
    assert one["words"] == "It cannot be carried out as it is."
    body = msgspec.json.encode(sent[13])
    kept = {"sha256": hashlib.sha256(body).hexdigest(), "text": body.decode(), "base64": None}
    assert one["body"] == kept
    assert (one["name"], one["role"]) == ("Canary warehouse", "warehouse")
    assert (one["device_id"], one["device_state"]) == (str(await device_of(phone)), "active")
    assert one["earliest_at"] <= one["latest_at"] <= one["received_at"] <= one["recorded_at"]
    assert (one["signature"], one["surrendered"], one["time_flag"]) == ("valid", False, None)
    # The problem of a phone that errs is for admins; it belongs to no channel or to the phone's.
    [problem] = (await shown(company, short["event_id"], "admin"))["problems"]
    assert (problem["kind"], problem["owner_role"]) == ("capture_rejected", "admin")
    good = await shown(company, events[0]["event_id"])
    assert (good["verdict"], good["words"], good["problems"]) == ("applied", "It counts.", [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"payload": []}, {"type": "pod.lost"}, {"lane": ""}, {"device_seq": 2**70}, {"boot": None},
        {"captured_at": "9999-12-31T23:59:59Z"}, {"payload": {"code": "\0"}},
    ],
)  # fmt: skip
async def test_whatever_is_wrong_with_it_it_is_shown(
    company: Company, wrong: dict[str, Any]
) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone) | wrong
    [receipt] = await phone.push(event)
    one = await shown(company, event["event_id"])
    assert (one["verdict"], one["reason"]) == ("rejected", receipt["reason"])
    assert str(event["event_id"]) in one["body"]["text"]


async def test_what_has_no_id_or_no_place_is_listed_and_shown_beside_what_has(
    company: Company,
) -> None:
    phone, other = Phone(company, "warehouse"), Phone(company, "courier")
    event = unannounced(phone)
    await phone.push(event)
    await phone.push({"no": "id"}, event | {"payload": {"code": "C-2", "words": "Another."}})
    await other.push(unannounced(other) | {"event_id": event["event_id"]})
    strays = (await company.get("dispatcher", "/console/stray-captures"))["items"]
    assert sorted(one["why"] for one in strays) == ["differs", "foreign", "unreadable"]
    [unreadable] = [one for one in strays if one["why"] == "unreadable"]
    assert msgspec.json.decode(unreadable["body"]["text"])["no"] == "id"
    copies = (await shown(company, event["event_id"]))["copies"]
    assert [one["why"] for one in copies] == ["differs", "foreign"]
    assert [one["name"] for one in copies] == ["Canary warehouse", "Canary courier"]
    query = f"?person_id={company.users['courier'].id}"
    [one] = (await company.get("dispatcher", f"/console/stray-captures{query}"))["items"]
    assert one["why"] == "foreign"
    first = await company.get("dispatcher", "/console/stray-captures?limit=2")
    rest = await company.get(
        "dispatcher", f"/console/stray-captures?limit=2&before={first['next']}"
    )
    assert [one["id"] for one in first["items"] + rest["items"]] == [one["id"] for one in strays]


async def test_bytes_that_are_no_text_are_shown_whole(company: Company) -> None:
    body = b'{"app_version":"1.0.0","sent_at":"now","events":[{"x":"\xff"}]}'
    headers = company.users["warehouse"].headers | {"Content-Type": "application/json"}
    answer = await company.http.post(PUSH, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    [one] = (await company.get("admin", "/console/stray-captures"))["items"]
    assert b64decode(one["body"]["base64"]) == b'{"x":"\xff"}'
    assert one["body"]["text"] == '{"x":"\\xff"}'


async def test_a_surrendered_capture_is_shown_with_its_pictures_as_far_as_they_are_here(
    company: Company,
) -> None:
    phone = Phone(company, "delivery")
    photo, small, other = make_jpeg(1200, 900, seed=5), make_jpeg(40, 30, seed=5), b"no picture"
    whole, preview, broken, missing = (
        hashlib.sha256(one).hexdigest() for one in (photo, small, other, b"never sent")
    )
    photos = [
        {"slot": "parcel", "sha256": whole, "preview_sha256": preview},
        {"slot": "door", "sha256": broken},
        {"slot": "label", "sha256": missing},
    ]
    event = phone.event("pod.record", {"photos": photos})
    await company.send("admin", f"/api/devices/{await device_of(phone)}/revoke", {})
    assert (await (await Surrender.of(phone, event)).send()).status_code == 200
    await (await SurrenderedPicture.of(phone, small)).send_all()
    await (await SurrenderedPicture.of(phone, other)).send_all()
    picture = await SurrenderedPicture.of(phone, photo)
    await picture.send(0)
    await company.work()
    one = await shown(company, event["event_id"])
    assert (one["verdict"], one["surrendered"], one["device_state"]) == ("review", True, "revoked")
    assert [problem["kind"] for problem in one["problems"]] == ["capture_surrendered"]
    first, second, third = one["pictures"]
    assert (first["sha256"], first["state"]) == (whole, "arriving")
    assert (first["received"], first["length"]) == (CHUNK, len(photo))
    assert first["picture"]["shown"] == "preview"
    assert (await company.http.get(first["picture"]["large_url"])).status_code == 200
    assert (second["sha256"], second["state"], second["picture"]) == (broken, "refused", None)
    assert second["refused"]
    assert (third["sha256"], third["state"], third["received"]) == (missing, "awaited", 0)
    await picture.send_all()
    await company.work()
    [first, *_] = (await shown(company, event["event_id"]))["pictures"]
    assert (first["state"], first["picture"]["shown"]) == ("here", "photo")
    assert (await company.http.get(first["picture"]["thumbnail_url"])).status_code == 200


async def test_a_hash_opens_no_picture_of_somebody_else(company: Company) -> None:
    photo = make_jpeg(60, 40, seed=8)
    sha256 = hashlib.sha256(photo).hexdigest()
    courier = Phone(company, "courier")
    mine = courier.event("pod.record", {"photos": [{"slot": "door", "sha256": sha256}]})
    await (await Surrender.of(courier, mine)).send()
    await (await SurrenderedPicture.of(courier, photo)).send_all()
    await company.work()
    thief = Phone(company, "delivery")
    named = thief.event("pod.record", {"photos": [{"slot": "door", "sha256": sha256}]})
    await thief.push(named)
    [seen] = (await shown(company, named["event_id"]))["pictures"]
    assert (seen["state"], seen["picture"]) == ("awaited", None)
    [seen] = (await shown(company, mine["event_id"]))["pictures"]
    assert seen["state"] == "here"


async def test_an_open_one_says_what_failed_and_when_it_is_tried_again(company: Company) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone) | {"schema": 9_999}
    await phone.push(event)
    one = await shown(company, event["event_id"])
    assert (one["verdict"], one["attempts"], one["recorded_at"]) == ("open", 1, None)
    assert "of schema 9999" in one["failure"] and one["next_at"]
    [short] = await listed(company, "verdict=open")
    assert short["event_id"] == str(event["event_id"])


async def test_lists_go_page_by_page_and_everything_alone_is_none(company: Company) -> None:
    phone, other = Phone(company, "warehouse"), Phone(company, "courier")
    mine = [unannounced(phone) for _ in range(5)]
    await phone.push(*mine)
    await other.push(unannounced(other))
    person = company.users["warehouse"].id
    seen: list[str] = []
    query = f"person_id={person}&verdict=applied&limit=2"
    page = await company.get("support", f"{LIST}?{query}")
    while True:
        seen += [one["event_id"] for one in page["items"]]
        if page["next"] is None:
            break
        page = await company.get("support", f"{LIST}?{query}&before={page['next']}")
    assert sorted(seen) == sorted(str(one["event_id"]) for one in mine)
    assert len(await listed(company, f"person_id={person}")) == 5
    assert await listed(company, f"person_id={person}&verdict=review") == []
    assert await listed(company, f"person_id={uuid7()}") == []
    headers = company.users["dispatcher"].headers
    for wide in ("", "?verdict=applied", "?verdict=duplicate"):
        refused = await company.http.get(LIST + wide, headers=headers)
        assert refused.json()["type"] == "/problems/captures-not-narrowed", wide
    assert (await company.http.get(f"{LIST}?verdict=lost", headers=headers)).status_code == 422


async def test_desks_of_other_channels_see_nothing_and_looking_changes_nothing(
    company: Company,
) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone) | {"payload": {"code": 7}}
    await phone.push(event, {"no": "id"})
    await company.work()
    others = await strangers(company)
    before = await everything()
    for role in ("dispatcher", "support"):
        headers = others[role].headers
        found = await company.http.get(f"{LIST}/{event['event_id']}", headers=headers)
        assert (found.status_code, found.json()["type"]) == (404, "/problems/capture-missing")
        for path in (
            f"{LIST}?verdict=rejected",
            f"{LIST}?person_id={company.users['warehouse'].id}",
            "/console/stray-captures",
        ):
            answer = await company.http.get(path, headers=headers)
            assert answer.json() == {"items": [], "next": None}, path
    for who in ("dispatcher", "support", "admin"):
        await shown(company, event["event_id"], who)
    for who in ("warehouse", "sales", "finance", "vendor"):
        headers = company.users[who].headers
        answer = await company.http.get(f"{LIST}/{event['event_id']}", headers=headers)
        assert answer.status_code == 403, who
    assert await everything() == before


async def test_a_problem_out_of_sight_is_not_told_with_the_capture(company: Company) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone)
    await phone.push(event)
    # Of no channel: only people of all channels see it.
    await helpdesk.open_problem(
        "capture_stuck", "It fails", ref=f"capture:{event['event_id']}", detail="", channel_id=None
    )
    limited = await company.join("dispatcher", channel_ids=[company.world.channel_id])
    headers = limited.headers
    answer = await company.http.get(f"{LIST}/{event['event_id']}", headers=headers)
    assert (answer.status_code, answer.json()["problems"]) == (200, [])
    everywhere = await company.join("dispatcher")
    answer = await company.http.get(f"{LIST}/{event['event_id']}", headers=everywhere.headers)
    assert [one["kind"] for one in answer.json()["problems"]] == ["capture_stuck"]
