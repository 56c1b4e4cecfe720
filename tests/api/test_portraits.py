"""Who comes, with a face: only while he is on the way, only after the code, and nothing else in it."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from doorstep.core import blobs
from doorstep.core import db as core_db
from doorstep.core.auth import people
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.core.portrait_decode import SIDE
from doorstep.core.tenant import customer
from doorstep.core.uploads import MAX_LENGTH
from tests.factories.at_the_page import at_page, sign_in, token_of
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.steps import healthy
from tests.support.pictures import ORIENTATION, make_jpeg
from tests.support.visitor import Visitor, browser, words_of

WHO = "parcels/1/who"


def half_red(kind: str = "JPEG", **given: Any) -> bytes:
    """Make a wide picture whose middle square is red on the left and blue on the right."""
    image = Image.new("RGB", (900, 500), "white")
    image.paste("red", (200, 0, 450, 500))
    image.paste("blue", (450, 0, 700, 500))
    out = BytesIO()
    image.save(out, kind, **given)
    return out.getvalue()


async def put(company: Company, role: str, data: bytes, *, by: str = "admin") -> httpx.Response:
    path = f"/api/people/{company.users[role].id}/portrait"
    return await company.http.put(path, content=data, headers=company.users[by].headers)


async def known(company: Company, role: str, data: bytes | None = None) -> str:
    """Give somebody a portrait; return its hash."""
    answer = await put(company, role, data or half_red())
    assert answer.status_code == 204, answer.text
    found: str = await core_db.value(
        "SELECT sha256 FROM person_portrait WHERE person_id = $1", company.users[role].id
    )
    return found


async def seen(visitor: Visitor, address: str) -> tuple[int, bytes]:
    answer = await visitor.http.get(f"{address}/{WHO}")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.content


async def gone(visitor: Visitor, address: str) -> bool:
    """Tell whether neither page nor address show anybody any more."""
    page = await visitor.read(address)
    return "<img" not in page and (await seen(visitor, address))[0] == 404


async def test_after_the_code_a_face_stands_beside_the_name_until_he_has_been(
    company: Company,
) -> None:
    await known(company, "delivery")
    order = await standing(company, 1012)
    async with browser() as visitor:
        address = await at_page(visitor, order, signed_in=False)
        assert await gone(visitor, address)
        page = await sign_in(visitor, address, order.order_id)
        [tag] = re.findall(r"<img [^>]*>", page)
        assert 'width="80" height="80" alt="Photo of Canary"' in tag
        source = re.search(r'src="([^"]+)"', tag)
        assert source is not None and source[1].startswith(f"{address}/{WHO}?v=")
        policy = (await visitor.http.get(address)).headers["content-security-policy"]
        assert policy.endswith("; img-src 'self'") and "default-src 'none'" in policy
        answer = await visitor.http.get(source[1])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert Image.open(BytesIO(answer.content)).size == (SIDE, SIDE)
        assert "صورة" in await visitor.read(address, lang="ar")
        await order.take_well(await order.pod())
        assert await gone(visitor, address)
        without = await visitor.http.get(address)
        assert "img-src" not in without.headers["content-security-policy"]
    await healthy()


async def test_nobody_sees_him_by_another_order_or_another_parcel(company: Company) -> None:
    await known(company, "delivery")
    order, other = await standing(company, 1012), await standing(company, 1008)
    async with browser() as visitor:
        address = await at_page(visitor, order)
        elsewhere = await at_page(visitor, other)
        assert (await seen(visitor, address))[0] == 200
        assert await gone(visitor, elsewhere)
        assert (await visitor.http.get(f"{address}/parcels/2/who")).status_code == 404
    async with browser() as stranger:
        await at_page(stranger, other)
        assert (await stranger.http.get(f"{address}/{WHO}")).status_code == 404


async def test_the_database_itself_shows_a_link_nobody_else(company: Company) -> None:
    mine = await known(company, "delivery")
    await known(company, "technician", make_jpeg(300, 300))
    order, other = await standing(company, 1012), await standing(company, 1008)
    every = "SELECT sha256 FROM person_portrait"
    for order_id, signed, expected in (
        (order.order_id, True, [mine]),
        (order.order_id, False, []),
        (other.order_id, True, []),
    ):
        async with customer(order_id, signed_in=signed):
            assert [row["sha256"] for row in await core_db.rows(every)] == expected


async def test_the_technician_is_shown_on_the_day_he_comes(company: Company, clock: Any) -> None:
    await known(company, "technician")
    order = await standing(company, 1014)
    visit_id = await core_db.value("SELECT id FROM visit")
    move = "UPDATE visit SET during = tstzrange($2, $3) WHERE id = $1"
    hour = timedelta(hours=1)
    async with browser() as visitor:
        address = await at_page(visitor, order)
        later = now() + timedelta(days=2)
        await core_db.execute(move, visit_id, later, later + hour)
        assert await gone(visitor, address)
        await core_db.execute(move, visit_id, now(), now() + hour)
        assert (await seen(visitor, address))[0] == 200
        await order.go_on(1015)
        assert await gone(visitor, address)


async def test_whoever_leaves_is_shown_nowhere_and_his_file_is_deleted(company: Company) -> None:
    sha256 = await known(company, "delivery")
    order = await standing(company, 1012)
    async with browser() as visitor:
        address = await at_page(visitor, order)
        assert (await seen(visitor, address))[0] == 200
        await people.deactivate_person(company.users["delivery"].id)
        assert await gone(visitor, address)
    await company.work()
    assert not await blobs.exists(sha256)
    assert await core_db.value("SELECT count(*) FROM blob WHERE sha256 = $1", sha256) == 0
    answer = await put(company, "delivery", half_red())
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/person-has-left")
    assert await core_db.value("SELECT count(*) FROM person_portrait") == 0


async def test_what_is_replaced_or_removed_is_deleted_unless_somebody_else_has_it(
    company: Company,
) -> None:
    first = await known(company, "delivery")
    assert await known(company, "technician") == first
    second = await known(company, "delivery", make_jpeg(400, 400))
    await company.work()
    assert await blobs.exists(first) and await blobs.exists(second)
    for role in ("technician", "delivery"):
        path = f"/api/people/{company.users[role].id}/portrait"
        for _ in range(2):
            answer = await company.http.delete(path, headers=company.users["admin"].headers)
            assert answer.status_code == 204
    await company.work()
    assert not await blobs.exists(first) and not await blobs.exists(second)
    assert await core_db.value("SELECT count(*) FROM blob WHERE sha256 = $1", first) == 0


async def test_it_is_square_upright_and_without_what_a_camera_wrote(company: Company) -> None:
    exif = Image.Exif()
    # Held upside down: what lies on the left was on the right.
    exif[ORIENTATION] = 3
    exif[0x010F] = "Canary camera"
    sha256 = await known(company, "delivery", half_red(exif=exif))
    data = await blobs.get(sha256)
    made = Image.open(BytesIO(data)).convert("RGB")
    assert made.size == (SIDE, SIDE)
    left, right = made.getpixel((20, SIDE // 2)), made.getpixel((SIDE - 20, SIDE // 2))
    assert isinstance(left, tuple) and isinstance(right, tuple)
    assert left[2] > 200 > left[0] and right[0] > 200 > right[2], (left, right)
    assert not Image.open(BytesIO(data)).getexif()
    assert b"Canary" not in data and b"Exif" not in data
    assert len(data) < 12_000


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_other_kinds_of_pictures_are_taken(company: Company, kind: str) -> None:
    assert (await put(company, "delivery", half_red(kind))).status_code == 204


def film(kind: str) -> bytes:
    frames = [Image.new("RGB", (60, 60), (n * 60, 0, 0)) for n in range(3)]
    out = BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def bomb() -> bytes:
    """Make a picture of a few kilobytes that has more pixels than any phone takes."""
    out = BytesIO()
    Image.new("1", (8_000, 8_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "status", "kind"),
    [
        (lambda: b"", 415, "file-is-no-picture"),
        (lambda: b"MZ not a picture", 415, "file-is-no-picture"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "file-is-no-picture"),
        (lambda: film("GIF"), 415, "file-is-no-picture"),
        (lambda: film("PNG"), 422, "picture-is-animated"),
        (lambda: film("WEBP"), 422, "picture-is-animated"),
        (bomb, 422, "picture-too-large"),
        (lambda: make_jpeg(400, 400)[:3000], 422, "picture-damaged"),
        (lambda: b"\xff\xd8\xff" + bytes(MAX_LENGTH), 413, "body-too-large"),
    ],
)
async def test_what_is_no_portrait_is_refused_by_name_and_changes_nothing(
    company: Company, make: Any, status: int, kind: str
) -> None:
    before = await known(company, "delivery")
    answer = await put(company, "delivery", make())
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    left = await core_db.rows("SELECT sha256 FROM person_portrait")
    assert [row["sha256"] for row in left] == [before]


async def test_only_admins_say_what_people_look_like(company: Company) -> None:
    for role in ("dispatcher", "support", "delivery"):
        assert (await put(company, "delivery", half_red(), by=role)).status_code == 403
    nobody = await company.http.put(
        f"/api/people/{uuid7()}/portrait",
        content=half_red(),
        headers=company.users["admin"].headers,
    )
    assert (nobody.status_code, nobody.json()["type"]) == (404, "/problems/no-such-person")
    assert await core_db.value("SELECT count(*) FROM person_portrait") == 0


async def test_the_page_names_him_without_a_face_where_there_is_none(company: Company) -> None:
    order: Order = await standing(company, 1012)
    async with browser() as visitor:
        address = await visitor.open(token_of(order))
        page = await sign_in(visitor, address, order.order_id)
        assert "Canary brings your parcel." in words_of(page)
        assert await gone(visitor, address)
