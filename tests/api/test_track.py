"""The customer's link and the desk's problems over HTTP: what they show and what they never do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from litestar import Litestar

from doorstep.app import create_app
from doorstep.core import blobs
from doorstep.core.ids import uuid7
from doorstep.doors.access import routes as access
from doorstep.doors.console import problems
from doorstep.doors.track import routes as track
from doorstep.doors.track import verify
from doorstep.flows import care
from doorstep.modules.crm import service as crm
from doorstep.modules.helpdesk import service as helpdesk
from tests.factories.care import place, reacting, serials_for, travel
from tests.factories.world import an_order

TO_DELIVERY = tuple(range(1002, 1014))
SignedIn = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
def app() -> Litestar:
    """Only the doors this file is about, and the sign-in."""
    return create_app(
        doors=[*access.handlers, *track.handlers, *verify.handlers, *problems.handlers]
    )


@pytest.fixture(autouse=True)
def _bound() -> Any:
    with reacting():
        yield


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[None]:
    await blobs.start(tmp_path.as_uri())
    yield
    await blobs.stop()


async def test_a_link_shows_the_order_and_how_far_it_is(db: Any, client: httpx.AsyncClient) -> None:
    order = await place(("KET-17", 2))
    await travel(order.parcels[0], 1002, 1003)
    answer = await client.get(f"/track/{order.token}")
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["order_number"] == order.number
    assert (shown["words"], shown["progress"]) == ("0 of 1 delivered", 15)
    (parcel,) = shown["parcels"]
    assert parcel["lines"] == [{"name": "KET-17", "quantity": 2}]
    assert [m["id"] for m in parcel["milestones"]] == [
        *(f"T{n}" for n in range(1, 10)), "T12"
    ]  # fmt: skip
    assert parcel["milestones"][2]["sentence"] == "Inventory allocated from warehouse."
    assert parcel["milestones"][2]["state"] == "current"
    assert parcel["milestones"][3]["sentence"] is None
    assert (parcel["awb"], parcel["may_rate"], parcel["rated"]) == (None, False, False)


async def test_a_link_names_nobody_and_no_id(db: Any, client: httpx.AsyncClient) -> None:
    order = await place(("WM-7KG", 1), ("MIX-500", 1))
    for parcel in order.parcels:
        await travel(parcel, *TO_DELIVERY)
    text = (await client.get(f"/track/{order.token}")).text
    hidden = [
        "Aisha",
        "Khan",
        "971501234567",
        "example.com",
        "Marina",
        "Tower",
        str(order.order_id),
    ]
    hidden += [str(parcel) for parcel in order.parcels] + [str(order.world.channel_id)]
    assert not [word for word in hidden if word in text]


async def test_two_parcels_are_counted(db: Any, client: httpx.AsyncClient) -> None:
    order = await place(("KET-17", 1), ("MIX-500", 1))
    await travel(order.parcels[1], *TO_DELIVERY)
    shown = (await client.get(f"/track/{order.token}")).json()
    assert (shown["words"], shown["progress"]) == ("1 of 2 delivered", 5)
    assert [parcel["parcel"] for parcel in shown["parcels"]] == [1, 2]


@pytest.mark.parametrize("language", ["hi", "ar"])
async def test_the_page_may_ask_for_another_language(
    db: Any, client: httpx.AsyncClient, language: str
) -> None:
    order = await place(("KET-17", 1))
    answer = await client.get(f"/track/{order.token}", params={"lang": language})
    shown = answer.json()
    assert shown["language"] == language
    assert shown["parcels"][0]["milestones"][0]["title"] != "Order Confirmed"
    wrong = await client.get(f"/track/{order.token}", params={"lang": "fr"})
    assert wrong.status_code in (400, 422)


async def test_cash_on_delivery_says_what_is_to_be_paid(db: Any, client: httpx.AsyncClient) -> None:
    order = await place(order=an_order(("KET-17", 1), method="cod", price_minor=314800))
    await travel(order.parcels[0], 1002)
    milestones = (await client.get(f"/track/{order.token}")).json()["parcels"][0]["milestones"]
    assert milestones[1]["sentence"] == "To pay at the door: AED 3,148.00."


async def test_an_unchanged_order_is_304_and_any_event_makes_it_new(
    db: Any, client: httpx.AsyncClient
) -> None:
    order = await place(("KET-17", 1))
    url = f"/track/{order.token}"
    first = await client.get(url)
    with structlog.testing.capture_logs() as logs:
        same = await client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    # Pages that stay open ask all the time: nothing has happened, nothing is written down.
    assert [line["log_level"] for line in logs if line["event"] == "http.answered"] == ["debug"]
    assert same.headers["etag"] == first.headers["etag"]
    in_arabic = await client.get(
        url, params={"lang": "ar"}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert in_arabic.status_code == 200
    assert (await client.get(url)).content == first.content  # From memory.

    await travel(order.parcels[0], 1002)
    changed = await client.get(url, headers={"If-None-Match": f'W/{first.headers["etag"]}, "x"'})
    assert changed.status_code == 200 and changed.json()["progress"] == 10


async def test_the_answer_is_kept_by_nobody_else(db: Any, client: httpx.AsyncClient) -> None:
    order = await place(("KET-17", 1))
    headers = (await client.get(f"/track/{order.token}")).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-robots-tag"] == "noindex, nofollow"
    assert headers["referrer-policy"] == "no-referrer"


async def test_wrong_expired_and_revoked_links_look_the_same(
    db: Any, client: httpx.AsyncClient, clock: Any
) -> None:
    order = await place(("KET-17", 1))
    url = f"/track/{order.token}"

    async def refusal(address: str) -> dict[str, Any]:
        answer = await client.get(address)
        assert answer.status_code == 404
        body: dict[str, Any] = answer.json()
        return body | {"request_id": ""}

    wrong = await refusal("/track/not-a-token")
    clock.advance(timedelta(days=200))
    assert await refusal(url) == wrong
    clock.set(clock.now() - timedelta(days=200))
    assert (await client.get(url)).status_code == 200
    await crm.revoke_links(order.order_id)
    assert await refusal(url) == wrong
    assert (await client.get(f"{url}/certificate/WR-1")).status_code == 404


async def test_a_rating_through_the_link_passes_1016_once(
    db: Any, client: httpx.AsyncClient
) -> None:
    order = await place(("KET-17", 1))
    url = f"/track/{order.token}"
    given = {"event_id": str(uuid7()), "delivery_rating": 5, "words": "Quick!"}
    early = await client.post(f"{url}/feedback", json=given)
    assert early.status_code == 409 and early.json()["type"] == "/problems/stage-too-early"
    await travel(order.parcels[0], *TO_DELIVERY)
    assert (await client.get(url)).json()["parcels"][0]["may_rate"]

    first = await client.post(f"{url}/feedback", json=given)
    again = await client.post(f"{url}/feedback", json=given)
    assert first.status_code == again.status_code == 200
    assert first.json()["verdict"] == "applied"
    other = await client.post(f"{url}/feedback", json=given | {"event_id": str(uuid7())})
    assert other.json()["type"] == "/problems/feedback-already-given"
    parcel = (await client.get(url)).json()["parcels"][0]
    assert (parcel["may_rate"], parcel["rated"]) == (False, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"delivery_rating": 0},
        {"delivery_rating": 6},
        {"words": "x" * 2001},
        {"installation_rating": 7},
        {"parcel": 2, "installation_rating": None},
        {"extra": 1},
    ],
)
async def test_a_rating_that_cannot_be_is_refused(
    db: Any, client: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    order = await place(("KET-17", 1))
    given = {"event_id": str(uuid7()), "delivery_rating": 5} | wrong
    answer = await client.post(f"/track/{order.token}/feedback", json=given)
    assert answer.status_code in (400, 404, 422)
    assert await db.value("SELECT count(*) FROM feedback") == 0


async def test_the_certificate_is_behind_its_own_link_and_anybody_may_verify_it(
    db: Any, store: None, client: httpx.AsyncClient
) -> None:
    order = await place(("WM-7KG", 1))
    await serials_for(order.parcels[0], order.world.serials["WM-7KG"][:1])
    await travel(order.parcels[0], *TO_DELIVERY, 1014, 1015)
    await care.issue_certificates({"fulfilment_id": str(order.parcels[0])})

    shown = (await client.get(f"/track/{order.token}")).json()
    assert shown["parcels"][0]["milestones"][-1]["sentence"] == "Warranty registered successfully."
    (number,) = shown["parcels"][0]["certificates"]
    paper = await client.get(f"/track/{order.token}/certificate/{number}")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF") and paper.headers["cache-control"] == "no-store"

    stranger = await place(("KET-17", 1), world=order.world)
    foreign = await client.get(f"/track/{stranger.token}/certificate/{number}")
    assert foreign.json()["type"] == "/problems/certificate-missing"

    genuine = (await client.get(f"/verify/{number}")).json()
    assert genuine["valid"] and genuine["product"] == "Washing machine 7 kg"
    assert set(genuine) == {"number", "valid", "product", "quantity", "starts_on", "ends_on"}
    assert (await client.get("/verify/WR-000000000000")).status_code == 404


async def test_a_link_has_its_share_and_misses_are_counted_by_address(
    db: Any, client: httpx.AsyncClient
) -> None:
    order = await place(("KET-17", 1))
    codes = [(await client.get(f"/track/{order.token}")).status_code for _ in range(31)]
    assert codes == [200] * 30 + [429]
    other = await place(("KET-17", 1), world=order.world)
    assert (await client.get(f"/track/{other.token}")).status_code == 200
    misses = [(await client.get(f"/track/wrong-{n}")).status_code for n in range(11)]
    assert misses == [404] * 10 + [429]


async def test_the_desk_sees_the_problems_of_its_channels_and_closes_them(
    db: Any, client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    order = await place(("KET-17", 1))
    mine = await helpdesk.open_problem(
        "pickup_missed", "No pickup", ref="AWB-1", order_id=order.order_id, owner_role="dispatcher"
    )
    loose = await helpdesk.open_problem("webhook_unmatched", "An unknown order", ref="hook-1")
    chief = await signed_in("support")
    local = await signed_in("dispatcher", channel_ids=[order.world.channel_id])
    abroad = await signed_in("dispatcher", channel_ids=[uuid7()])

    async def seen(person: Any, **params: str) -> list[str]:
        answer = await client.get("/problems", headers=person.headers, params=params)
        assert answer.status_code == 200
        return [problem["id"] for problem in answer.json()]

    assert await seen(chief) == [str(mine), str(loose)]
    assert await seen(chief, owner_role="dispatcher") == [str(mine)]
    assert await seen(local) == [str(mine)]
    assert await seen(abroad) == []

    close = f"/problems/{mine}/close"
    done = {"words": "The courier came."}
    foreign = await client.post(close, headers=abroad.headers, json=done)
    assert foreign.status_code == 404
    assert (await client.post(close, headers=local.headers, json=done)).status_code == 200
    assert await seen(chief) == [str(loose)]
    assert await db.value("SELECT closed_by FROM problem WHERE id = $1", mine) == local.id


async def test_problems_are_not_for_everybody(
    db: Any, client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    courier = await signed_in("courier")
    assert (await client.get("/problems")).status_code == 401
    assert (await client.get("/problems", headers=courier.headers)).status_code == 403
