"""Previews: desks see a small picture until the photo is here; it proves nothing and then goes."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from doorstep.core import blobs
from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.uploads import add_chunk
from doorstep.flows.previews import prune_previews
from tests.factories.company import Company, picture
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import failed_attempt
from tests.support.pictures import make_jpeg


async def handed_in(company: Company, who: str, data: bytes) -> str:
    """Upload bytes as somebody, and let the picture be made."""
    sha256 = hashlib.sha256(data).hexdigest()
    user = company.users[who]
    actor = Actor(role=user.role, source="phone", person_id=user.id)
    for at in range(0, len(data), 65_536):
        await add_chunk(sha256, at, data[at : at + 65_536], length=len(data), actor=actor)
    await company.work()
    return sha256


def small(seed: int) -> bytes:
    return make_jpeg(160, 120, seed=seed)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def seen(order: Order, who: str = "dispatcher") -> list[dict[str, Any]]:
    path = f"/console/fulfilments/{order.parcel}/pictures"
    return [one["picture"] for one in await order.company.get(who, path)]


async def shown(order: Order, who: str = "dispatcher") -> list[str]:
    return [one["shown"] for one in await seen(order, who)]


async def proven(order: Order, photo: str, preview: str | None) -> None:
    named = {"slot": "parcel", "sha256": photo, "preview_sha256": preview}
    answer = await order.take(await order.pod(photos=[named]))
    assert answer.json()["verdict"] == "applied", answer.text
    await order.company.work()


async def v4(order: Order) -> bool:
    found: bool = await core_db.value(
        "SELECT bytes_verified_at IS NOT NULL FROM pod WHERE fulfilment_id = $1", order.parcel
    )
    return found


async def test_a_preview_is_shown_until_the_photo_is_here_and_v4_waits_for_the_photo(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    photo, preview = make_jpeg(800, 600, seed=3), small(3)
    await proven(order, sha(photo), sha(preview))
    assert await shown(order) == ["nothing"]
    await handed_in(company, "delivery", preview)
    [one] = await seen(order)
    assert (one["shown"], one["sha256"]) == ("preview", sha(photo))
    answer = await company.http.get(one["thumbnail_url"])
    assert (answer.status_code, answer.content[:3]) == (200, b"\xff\xd8\xff")
    assert not await v4(order), "a preview is no proof"
    assert await core_db.value("SELECT verified_at FROM pod_photo") is None
    await prune_previews({})
    assert await shown(order) == ["preview"], "the photo is not here yet"
    await handed_in(company, "delivery", photo)
    assert await shown(order) == ["photo"]
    assert await v4(order)
    await gone(company, preview)
    [one] = await seen(order)
    assert (await company.http.get(one["large_url"])).status_code == 200


async def gone(company: Company, preview: bytes) -> None:
    """Prune, and see that nothing is left of the preview, rows and files."""
    made = await core_db.rows("SELECT blob_sha256 FROM picture WHERE sha256 = $1", sha(preview))
    files = [sha(preview), *(row["blob_sha256"] for row in made)]
    assert len(files) == 3
    await prune_previews({})
    await company.work()
    assert [await blobs.exists(one) for one in files] == [False] * 3
    assert await core_db.value("SELECT count(*) FROM blob WHERE sha256 = ANY ($1)", files) == 0
    for table in ("picture_preview", "picture_measure", "upload"):
        left = await core_db.rows(f"SELECT * FROM {table}")
        assert sha(preview) not in str(left), table


async def test_a_preview_never_stands_in_for_its_photo_by_name(company: Company) -> None:
    """Whoever says that photo and preview are the same has no preview."""
    order = await standing(company, 1012)
    photo = make_jpeg(320, 240, seed=5)
    await proven(order, sha(photo), sha(photo))
    assert await core_db.value("SELECT count(*) FROM picture_preview") == 0


async def test_a_picture_of_somebody_else_is_no_preview(company: Company) -> None:
    order = await standing(company, 1012)
    secret = await handed_in(company, "technician", small(6))
    await proven(order, picture(), secret)
    assert await shown(order) == ["nothing"]


async def test_a_photo_is_not_got_rid_of_by_calling_it_a_preview(company: Company) -> None:
    """IC4: a picture that a capture names stays, and so does what another person has handed in."""
    order = await standing(company, 1012)
    evidence, other, shared = small(7), small(8), small(9)
    for data in (evidence, other, shared):
        await handed_in(company, "delivery", data)
    await handed_in(company, "courier", shared)
    named = [
        {"slot": "door", "sha256": sha(other), "preview_sha256": sha(evidence)},
        {"slot": "parcel", "sha256": sha(evidence), "preview_sha256": sha(shared)},
    ]
    assert (await failed_attempt(order, photos=named)).json()["verdict"] == "applied"
    assert await core_db.value("SELECT count(*) FROM picture_preview") == 2
    await prune_previews({})
    await company.work()
    assert await core_db.value("SELECT count(*) FROM picture_preview") == 0
    for data in (evidence, other, shared):
        assert await blobs.get(sha(data)) == data
    assert await shown(order) == ["photo", "photo"]


@pytest.mark.parametrize("kind", ["visit.complete", "visit.fail", "visit.finding"])
async def test_pictures_of_a_visit_have_previews_too(company: Company, kind: str) -> None:
    order = await standing(company, 1014)
    photo, preview = picture(), small(11)
    named = [{"slot": "damage", "sha256": photo, "preview_sha256": sha(preview)}]
    visit = await core_db.value("SELECT id FROM visit WHERE fulfilment_id = $1", order.parcel)
    step = await order.report()
    path, body = {
        "visit.complete": ("complete", step.body | {"photos": [*step.body["photos"], *named]}),
        "visit.fail": ("failed", {"reason": "unsafe", "words": "Wet.", "photos": named}),
        "visit.finding": (
            "findings",
            {"kind": "hidden_damage", "words": "A dent.", "photos": named},
        ),
    }[kind]
    if kind == "visit.complete":
        answer = await company.send("technician", step.path, body)
    else:
        identity = {name: step.body[name] for name in ("event_id", "captured_at")}
        answer = await company.send("technician", f"/field/visits/{visit}/{path}", body | identity)
    assert answer.status_code in (200, 202), answer.text
    await handed_in(company, "technician", preview)
    assert {one["sha256"]: one["shown"] for one in await seen(order)}[photo] == "preview"
