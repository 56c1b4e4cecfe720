"""What belongs to somebody else does not exist: every route that names a thing, own and foreign.

One order walks through the company (walk_stops.py, walk_road.py). Before each request of the one
whose business it is, strangers send the very same (walk.py). A new route that names a thing and is
not part of the walk, nor exempt with a reason, fails here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from doorstep.core.auth.permissions import may
from doorstep.core.ids import uuid7
from tests.contract import walk_road, walk_stops
from tests.contract.routes import ROUTES
from tests.contract.walk import CANARIES, LISTS, Walk
from tests.factories.company import open_company, picture, strangers
from tests.factories.intake import order_body
from tests.factories.journeys import place, standing
from tests.factories.road import FRESH
from tests.factories.snapshots import everything
from tests.factories.sync import Phone

EXEMPT = {
    "makeEnrolmentCode": "admins manage the people of the whole installation",
    "deactivatePerson": "admins manage the people of the whole installation",
    "setPortrait": "admins manage the people of the whole installation",
    "removePortrait": "admins manage the people of the whole installation",
    "issueIntegrationToken": "admins manage the people of the whole installation",
    "revokeDevice": "admins manage the people of the whole installation",
    "readDevicesOfPerson": "devices of one's channels only (tests/api/test_devices.py)",
    "lockDevice": "devices of one's channels only (tests/api/test_devices.py)",
    "unlockDevice": "devices of one's channels only (tests/api/test_devices.py)",
    "signOutDevice": "devices of one's channels only (tests/api/test_devices.py)",
    "revokeSession": "admins manage the people of the whole installation",
    "saveBusinessCalendar": "calendars are the installation's, only admins set them",
    "replayDeadLetter": "dead letters are the installation's, only admins replay them",
    "receiveClickPostScan": "the secret in the path is the key itself",
    "receiveMailReport": "the secret in the path is the key itself",
    "receiveMsg91Report": "the secret in the path is the key itself",
    "receiveTwilioReport": "the signature is the key (tests/service/test_message_news.py)",
    "listMessageTemplateVersions": "words are the installation's, and name nobody",
    "saveMessageRule": "channels of one's own only (tests/api/test_message_templates.py)",
    "verifyCertificate": "public on purpose: whoever holds the paper may check it; it names nobody",
    "readFieldApp": "the files of the app, the same for everybody",
    "openPicture": "the signature in the link is the key (tests/api/test_uploads.py)",
    "askUploadProgress": "own uploads only; has a test of its own below",
    "addUploadChunk": "own uploads only; has a test of its own below",
    "pushCaptures": "own captures only; has a test of its own below",
    "readReceipts": "own captures only; has a test of its own below",
    "readSyncHealth": "phones of one's channels only (tests/api/test_sync_health.py)",
    "readPlaces": "people of one's channels only (tests/api/test_places.py)",
    "readMyPlaces": "one's own only (tests/api/test_places.py)",
    "readOwnDay": "one's own only (tests/api/test_own_day.py)",
    "readOwnEarnings": "one's own only (tests/api/test_earnings.py)",
    "exportEarnings": "lines of one's channels only (tests/api/test_earnings.py)",
    "tellPlaces": "one's own only (tests/api/test_places.py)",
    "readClaimPhotos": "own visits only (tests/api/test_claim_visits.py)",
    "pullDocuments": "own work only; has a test of its own below",
    "readKeptCaptures": "of people of one's channels only (tests/api/test_kept_captures.py)",
    "readKeptCapture": "of people of one's channels only (tests/api/test_kept_captures.py)",
    "amendCapture": "own captures only (tests/api/test_field_words.py)",
    "readStrayCaptures": "of people of one's channels only (tests/api/test_kept_captures.py)",
    "askSurrenderedPicture": "the phone's signature is the key (test_surrendered_pictures.py)",
    **dict.fromkeys(
        (
            "openTrackingLink",
            "readOrderPage",
            "followOrder",
            "readOwnCertificate",
            "readOwnInvoice",
            "readOwnProof",
            "readOwnReceipt",
            "readPortrait",
            "rateOnPage",
            "acceptDateOnPage",
            "cancelOnPage",
            "sendHandoverCodeAgain",
            "sendSignInCode",
            "signInOnPage",
            "signOutOnPage",
        ),
        "the cookie of a link is the key (tests/api/test_track_page.py, test_track_attacks.py)",
    ),
    **dict.fromkeys(
        (
            "readFreeTimes",
            "chooseTime",
            "readFreeRepairTimes",
            "moveRepair",
            "readFailedAttempt",
            "answerFailedAttempt",
            "readReportForm",
            "reportProblemOnPage",
            "readAddressForm",
            "completeAddress",
            "lookAtDoor",
            "readHelpForm",
            "askForHelp",
            "readReturnForm",
            "askForReturn",
            "readWarrantyForm",
            "claimUnderWarranty",
            "readTransferForm",
            "askNewOwner",
            "confirmNewOwner",
            "openOwnersLink",
            "readOwnersPage",
            "readOwnersCertificate",
            "sendOwnersCode",
            "signInAsOwner",
            "signOutAsOwner",
            "claimAsOwner",
            "readOwnersRepairTimes",
            "moveOwnersRepair",
            "readOwnersTransferForm",
            "askNextOwner",
            "confirmNextOwner",
            "readContactWishes",
            "keepContactWishes",
        ),
        "the cookie of a link is the key, for some with a code (tests/api/test_track_steps.py)",
    ),
    **dict.fromkeys(
        ("readOwnDataForms", "downloadOwnData", "askForErasure", "withdrawErasure"),
        "the cookie of a link with a code is the key (tests/api/test_track_privacy.py)",
    ),
    "openReturnForm": "public on purpose: it looks up nothing",
    "sendLinkForReturn": "public on purpose: it shows nothing, and writes to the order's customer alone",
    "sendNewLink": "public on purpose: it shows nothing, and writes to the warranty's owner alone",
    "readTrackingFile": "the page's script, the same for everybody",
    "surrenderPictureChunk": "the phone's signature is the key (test_surrendered_pictures.py)",
}
"""operation → why nobody's scope limits it."""

IN_THE_BODY = frozenset(
    {
        "recordAwb", "makeManifest", "planRun", "offerWork", "bookVisit", "countCash", "readLedger",
        "announceArrival", "readRestockProposals", "orderRestock", "proposeAdjustment", "openCount",
        "openTicket",
        "saveVehicle", "saveCrew", "planShift", "readOwnShift", "pushCaptures", "readReceipts",
        "setPrice", "addNote", "reportProblem", "amendCapture",
        "readPlaces", "readMyPlaces", "tellPlaces", "readOwnDay",
        "setEarningRate", "decideEarning", "exportEarnings", "readOwnEarnings",
        "pullDocuments", "readSyncHealth", "readKeptCaptures", "readStrayCaptures",
    }
)  # fmt: skip
"""Routes that name a thing in the body or the query, or that speak of the person's own."""

UNLIMITED = frozenset(
    {
        "listDeadLetters",
        "listEscalationRules",
        "listBusinessCalendars",
        "listManuals",
        "listMessageTemplates",
    }
)
"""Lists of the installation, not of a tenant."""

NAMED = {name for name, (_, path, _) in ROUTES.items() if "{" in path} | IN_THE_BODY | LISTS


@pytest.fixture
async def walk(db: Any, redis: Any, tmp_path: Path) -> AsyncIterator[Walk]:
    async with open_company(tmp_path) as company:
        others = list((await strangers(company)).values())
        for role in ("courier", "delivery", "technician"):
            colleague = await company.join(role, channel_ids=[company.world.channel_id])
            others.append(colleague)
        yield Walk(company, others)


def test_every_route_that_names_a_thing_is_walked_or_exempt_with_a_reason() -> None:
    plain_lists = {
        name
        for name, (method, path, handler) in ROUTES.items()
        if method == "GET" and "{" not in path and name.startswith("list")
    }
    assert plain_lists == LISTS | UNLIMITED
    assert set(EXEMPT) <= NAMED


async def test_strangers_find_nothing_from_the_order_to_the_last_payout(walk: Walk) -> None:
    company = walk.company
    order = await place(company)
    await walk.ask("getOrder", "support", number=order.number)
    await walk.ask("listOrders", "support", query=f"?external_id={order.external_id}")
    await walk_stops.door_payment(walk)
    await walk_stops.approvals(walk)
    await order.go_on(1003)
    await walk_stops.vendors(walk, order)
    await walk_stops.arrivals(walk)
    await walk_stops.shelves(walk)
    await walk_stops.floor(walk, order)
    await walk_road.road(walk, order)
    await walk_road.offers(walk)
    await walk_road.windows(walk)
    await walk_road.fleet(walk)
    await walk_stops.visits(walk, order)
    await walk_stops.money(walk, order)
    await walk_road.earnings(walk, order)
    await walk_stops.customer(walk, order)
    await walk_stops.desk(walk, order)
    await walk_stops.troubles(walk)
    assert NAMED - walk.walked == set(EXEMPT), "not walked, or exempt for nothing"


async def test_an_upload_of_somebody_else_looks_like_none(walk: Walk) -> None:
    http, sha256 = walk.company.http, picture()
    path, sizes = f"/uploads/{sha256}", {"Upload-Offset": "0", "Upload-Length": "9"}
    own = walk.company.users["courier"]
    begun = await http.patch(path, content=b"1234", headers=own.headers | sizes)
    assert begun.headers["Upload-Offset"] == "4"
    for user in walk.others:
        seen = await http.head(path, headers=user.headers)
        assert (seen.headers["Upload-Offset"], seen.headers["Upload-Complete"]) == ("0", "?0")
    assert (await http.head(path, headers=own.headers)).headers["Upload-Offset"] == "4"


async def test_a_capture_of_somebody_else_has_no_receipt_and_his_work_is_out_of_reach(
    walk: Walk,
) -> None:
    order = await standing(walk.company, 1012)
    step = await order.pod()
    phone = Phone(walk.company, "delivery")
    event = phone.of(step.path, step.body)
    for n, user in enumerate(walk.others):
        if not may(user.role, "core:capture:sync"):
            continue
        walk.company.users[f"stranger {n}"] = user
        stranger = Phone(walk.company, f"stranger {n}")
        [receipt] = await stranger.push(event | {"event_id": uuid7()})
        assert receipt["verdict"] in ("review", "rejected"), user.role
        assert not any(canary in receipt["reason"] for canary in CANARIES)
    assert 1013 not in await order.passed()
    [receipt] = await phone.push(event)
    assert receipt["verdict"] == "applied"
    for name in [name for name in walk.company.users if name.startswith("stranger")]:
        assert await Phone(walk.company, name).asked(event["event_id"]) == []


async def test_a_phone_is_given_nothing_of_somebody_elses_work(walk: Walk) -> None:
    for stage in (1004, 1008, 1012, 1014):
        await standing(walk.company, stage)
    for user in walk.others:
        if may(user.role, "core:capture:sync"):
            answer = await walk.send("GET", "/field/sync/pull", None, user)
            # How a form is filled in is the same for everybody of a role.
            kinds = {one["kind"] for one in answer.json()["upserts"]} - {"form"}
            assert kinds == {"shift_checklist"}
            assert not any(canary in answer.text for canary in CANARIES), user.role
    own = walk.company.users["delivery"]
    answer = await walk.send("GET", "/field/sync/pull", None, own)
    assert "12 Marina Walk" in answer.text


async def test_nobody_places_orders_in_a_channel_of_others(walk: Walk) -> None:
    before = await everything()
    for user in walk.others:
        if may(user.role, "oms:order:create"):
            headers = user.headers | {"Idempotency-Key": f"key-{uuid7()}"}
            body = order_body("T-FOREIGN")
            answer = await walk.company.http.post("/api/orders", json=body, headers=headers)
            assert answer.json()["type"] == "/problems/unknown-channel", user.role
    assert await everything() == before


async def test_work_is_given_only_to_people_of_the_channel(walk: Walk) -> None:
    company = walk.company
    order = await standing(company, 1008)
    elsewhere = next(one for one in walk.others if one.role == "courier")
    plan = {
        "person_id": elsewhere.id, "vehicle": "VAN-1", "planned_on": FRESH,
        "fulfilment_ids": [order.parcel],
    }  # fmt: skip
    answer = await company.send("dispatcher", "/console/runs", plan)
    assert answer.json()["type"] == "/problems/not-a-courier"
    manifest = {
        "location_id": company.world.warehouse_id, "courier_id": elsewhere.id,
        "fulfilment_ids": [order.parcel],
    }  # fmt: skip
    answer = await company.send("dispatcher", "/console/manifests", manifest)
    assert answer.json()["type"] == "/problems/not-a-courier"
    technician = next(one for one in walk.others if one.role == "technician")
    visit = {"fulfilment_id": order.parcel, "technician_id": technician.id}
    answer = await company.send("dispatcher", "/console/visits", visit)
    assert answer.json()["type"] == "/problems/skill-lacking"
