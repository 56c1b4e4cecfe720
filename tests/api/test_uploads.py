"""Uploads and pictures over HTTP: headers, sizes, who may, and links that look alike when wrong."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from doorstep.core import blobs, pictures
from tests.support.access import Person
from tests.support.pictures import make_jpeg

CHUNK = 32 * 1024
SignIn = Callable[..., Awaitable[Person]]


@pytest.fixture(autouse=True)
async def store(tmp_path: Path) -> AsyncIterator[None]:
    """A file store of the test's own."""
    await blobs.start((tmp_path / "blobs").as_uri())
    yield
    await blobs.stop()
    await pictures.stop()


@pytest.fixture
def photo() -> bytes:
    """Some photo, of several chunks."""
    return make_jpeg(1200, 900)


async def patch(
    client: httpx.AsyncClient, person: Person, data: bytes, offset: int, *, of: bytes
) -> httpx.Response:
    headers = {"Upload-Offset": str(offset), "Upload-Length": str(len(of))}
    path = f"/uploads/{hashlib.sha256(of).hexdigest()}"
    return await client.patch(path, content=data, headers=person.headers | headers)


def progress(answer: httpx.Response) -> tuple[str | None, ...]:
    names = ("upload-offset", "upload-length", "upload-complete")
    return tuple(answer.headers.get(name) for name in names)


async def test_a_photo_goes_up_in_chunks_and_comes_back_small(
    client: httpx.AsyncClient, signed_in: SignIn, photo: bytes
) -> None:
    courier, sha256 = await signed_in("courier"), hashlib.sha256(photo).hexdigest()
    whole = str(len(photo))

    asked = await client.head(f"/uploads/{sha256}", headers=courier.headers)
    assert (asked.status_code, progress(asked)) == (200, ("0", None, "?0"))
    for offset in range(0, len(photo), CHUNK):
        sent = await patch(client, courier, photo[offset : offset + CHUNK], offset, of=photo)
        assert sent.status_code == 204, sent.text
    assert progress(sent) == (whole, whole, "?1")
    again = await client.head(f"/uploads/{sha256}", headers=courier.headers)
    assert progress(again) == (whole, whole, "?1")

    await pictures.derive_pictures({"sha256": sha256})
    link = pictures.url(sha256, "thumbnail", viewer=str(courier.id))
    shown = await client.get(link)

    assert (shown.status_code, shown.content[:3]) == (200, b"\xff\xd8\xff")
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["content-disposition"].startswith("inline")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"].startswith("private")


async def test_a_wrong_offset_answers_the_right_one(
    client: httpx.AsyncClient, signed_in: SignIn, photo: bytes
) -> None:
    courier = await signed_in("courier")
    await patch(client, courier, photo[:CHUNK], 0, of=photo)

    sent = await patch(client, courier, b"x", CHUNK + 5, of=photo)

    assert (sent.status_code, sent.headers["upload-offset"]) == (409, str(CHUNK))
    assert (sent.json()["type"].rpartition("/")[2], sent.json()["offset"]) == (
        "wrong-offset",
        CHUNK,
    )


async def test_bytes_with_another_hash_are_refused_and_start_over(
    client: httpx.AsyncClient, signed_in: SignIn
) -> None:
    courier, announced = await signed_in("courier"), b"announced"

    sent = await patch(client, courier, b"delivered", 0, of=announced)

    assert (sent.status_code, sent.headers["upload-offset"]) == (422, "0")
    assert (await patch(client, courier, announced, 0, of=announced)).status_code == 204


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Upload-Offset": "0", "Upload-Length": "9000000"}, b"x", 413),
        ({"Upload-Offset": "0", "Upload-Length": "70000"}, b"x" * 65_537, 413),
        ({"Upload-Offset": "0"}, b"x", 422),
        ({"Upload-Offset": "-1", "Upload-Length": "9"}, b"x", 422),
        ({"Upload-Length": "9"}, b"x", 422),
    ],
    ids=["long file", "long chunk", "no length", "negative", "no offset"],
)
async def test_what_is_not_a_chunk_is_refused(
    client: httpx.AsyncClient,
    signed_in: SignIn,
    headers: dict[str, str],
    content: bytes,
    status: int,
) -> None:
    courier = await signed_in("courier")

    sent = await client.patch(
        f"/uploads/{'a' * 64}", content=content, headers=courier.headers | headers
    )

    assert sent.status_code == status, sent.text
    assert sent.headers["content-type"].startswith("application/problem+json")


async def test_nobody_uploads_without_signing_in(client: httpx.AsyncClient) -> None:
    path = f"/uploads/{'a' * 64}"
    assert (await client.head(path)).status_code == 401
    assert (await client.patch(path, content=b"x")).status_code == 401


async def test_wrong_ended_and_missing_links_look_alike(
    client: httpx.AsyncClient, signed_in: SignIn, clock: Any
) -> None:
    sha256 = await blobs.put(make_jpeg(400, 300), mime="image/jpeg")
    await pictures.derive(sha256)
    good = pictures.url(sha256, "large", viewer="somebody")
    assert (await client.get(good)).status_code == 200

    wrong = [
        good.replace("/large", "/thumbnail"),
        good.replace("viewer=somebody", "viewer=another"),
        good.partition("?")[0],
        f"{good.partition('?')[0]}?viewer=a&exp={'9' * 5000}&sig=b",
        pictures.url("b" * 64, "large", viewer="somebody"),
        pictures.url(sha256, "original", viewer="somebody"),
    ]
    answers = [await client.get(link) for link in wrong]
    clock.advance(timedelta(seconds=301))
    answers.append(await client.get(good))

    assert {answer.status_code for answer in answers} == {404}
    bodies = [answer.json() for answer in answers]
    for body in bodies:
        body.pop("instance", None)
        body.pop("request_id", None)
    assert all(body == bodies[0] for body in bodies), bodies
