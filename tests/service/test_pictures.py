"""Pictures of strangers: decoded in a child, shown without metadata, or refused by name."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from doorstep.core import blobs, picture_child, picture_decode, pictures, signed_urls
from doorstep.core.picture_child import DecodeChild, DecoderDied
from tests.support.pictures import make_12mp_jpeg, make_jpeg

CPU_TARGET = 0.250


@pytest.fixture(autouse=True)
async def store(tmp_path: Path) -> AsyncIterator[None]:
    """A file store of the test's own."""
    await blobs.start((tmp_path / "blobs").as_uri())
    yield
    await blobs.stop()


@pytest.fixture(autouse=True)
async def no_child_left() -> AsyncIterator[None]:
    """End the decode child after each test."""
    yield
    await pictures.stop()


@pytest.fixture
async def child() -> AsyncIterator[DecodeChild]:
    """A decode child of the test's own."""
    made = DecodeChild()
    yield made
    await made.stop()


def image_of(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def png_of_size(width: int, height: int) -> bytes:
    """Make a PNG that claims a size and holds nothing to decode."""

    def part(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", header)
        + part(b"IDAT", zlib.compress(b"\0"))
        + part(b"IEND", b"")
    )


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


async def uploaded(data: bytes) -> str:
    return await blobs.put(data, mime="image/jpeg")


# --- What is made ---------------------------------------------------------------------------------


async def test_two_derivatives_without_metadata(db: Any) -> None:
    sha256 = await uploaded(make_jpeg(2400, 1800))

    await pictures.derive(sha256)

    rows = await db.rows("SELECT * FROM picture WHERE sha256 = $1 ORDER BY width DESC", sha256)
    assert [(row["derivative"], row["width"], row["height"]) for row in rows] == [
        ("large", 1600, 1200),
        ("thumbnail", 320, 240),
    ]
    for row in rows:
        image = image_of(await blobs.get(row["blob_sha256"]))
        assert image.size == (row["width"], row["height"])
        assert dict(image.getexif()) == {}
        assert not {"exif", "icc_profile", "comment", "photoshop", "xmp"} & image.info.keys()


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_picture_stands_upright_however_the_phone_was_held(
    child: DecodeChild, orientation: int
) -> None:
    upright = Image.new("RGB", (640, 480), "white")
    upright.paste("red", (0, 0, 320, 240))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation

    answer = await child.derive(saved(stored, "JPEG", exif=exif))

    large = image_of(answer.derivatives[0].data)
    assert large.size == (640, 480)
    corners = [large.getpixel(at) for at in ((20, 20), (620, 20), (20, 460), (620, 460))]
    assert [corner[1] < 100 for corner in corners] == [True, False, False, False]  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("PNG", "LA"), ("PNG", "1"), ("WEBP", "RGBA"),
     ("JPEG", "CMYK"), ("JPEG", "L")],
)  # fmt: skip
async def test_each_kind_of_picture_is_shown(child: DecodeChild, kind: str, mode: str) -> None:
    image = Image.new("RGBA", (500, 400), (200, 30, 30, 128)).convert(mode)

    answer = await child.derive(saved(image, kind))

    assert answer.refusal == "", answer.detail
    assert [(made.width, made.height) for made in answer.derivatives] == [(500, 400), (320, 256)]
    assert all(image_of(made.data).mode == "RGB" for made in answer.derivatives)


async def test_a_small_picture_is_not_blown_up(child: DecodeChild) -> None:
    answer = await child.derive(make_jpeg(200, 100))

    assert [(made.width, made.height) for made in answer.derivatives] == [(200, 100)] * 2


async def test_a_photo_with_broken_metadata_is_still_a_photo(child: DecodeChild) -> None:
    photo = bytearray(make_jpeg(400, 300))
    start = photo.index(b"Exif\0\0")
    photo[start + 10 : start + 16] = b"\xff" * 6

    assert (await child.derive(bytes(photo))).refusal == ""


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a" + b"\0" * 100, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7",
     saved(Image.new("RGB", (9, 9)), "TIFF"), saved(Image.new("RGB", (9, 9)), "BMP")],
    ids=["nothing", "gif", "svg", "pdf", "tiff", "bmp"],
)  # fmt: skip
async def test_other_files_are_no_pictures(db: Any, data: bytes) -> None:
    sha256 = await uploaded(data)

    with pytest.raises(pictures.FileIsNoPicture):
        await pictures.derive(sha256)
    assert await db.value("SELECT count(*) FROM picture") == 0


async def test_too_many_pixels_are_refused_from_the_header(db: Any) -> None:
    with pytest.raises(pictures.PictureTooLarge):
        await pictures.derive(await uploaded(png_of_size(8000, 5001)))
    with pytest.raises(pictures.PictureTooLarge):
        await pictures.derive(await uploaded(png_of_size(60_000, 60_000)))


async def test_forty_megapixels_fit_into_the_memory_of_the_child(child: DecodeChild) -> None:
    data = saved(Image.new("RGBA", (8000, 5000), (9, 99, 199, 128)), "PNG", compress_level=1)

    answer = await child.derive(data)

    assert answer.refusal == "", answer.detail


@pytest.mark.parametrize("cut", [100, 5_000, 20_000])
async def test_a_torn_picture_is_damaged(db: Any, cut: int) -> None:
    with pytest.raises(pictures.PictureDamaged):
        await pictures.derive(await uploaded(make_jpeg(800, 600)[:cut]))


# --- The child ------------------------------------------------------------------------------------


async def test_the_child_has_its_limits_and_none_of_our_secrets(child: DecodeChild) -> None:
    await child.derive(make_jpeg(100, 100))
    process = Path("/proc", str(child.pid))

    limits = (process / "limits").read_text()
    assert str(picture_decode.MEMORY) in limits.partition("Max address space")[2].split()[0]
    assert b"SECRET_KEY" not in (process / "environ").read_bytes()


async def test_a_child_that_died_is_replaced(child: DecodeChild) -> None:
    await child.derive(make_jpeg(100, 100))
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)

    for _ in range(2):
        try:
            answer = await child.derive(make_jpeg(100, 100))
        except DecoderDied:
            continue
        break
    assert answer.refusal == ""
    assert child.pid != first


async def test_a_picture_that_takes_too_long_costs_only_its_own_child(
    child: DecodeChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_child, "TIMEOUT", 0.01)
    with pytest.raises(DecoderDied):
        await child.derive(make_jpeg(3000, 2000))

    monkeypatch.setattr(picture_child, "TIMEOUT", 20)
    assert (await child.derive(make_jpeg(100, 100))).refusal == ""


async def test_a_cancelled_question_is_not_answered_to_the_next_one(child: DecodeChild) -> None:
    await child.derive(make_jpeg(100, 100))
    asked = asyncio.create_task(child.derive(make_jpeg(3000, 2000)))
    await asyncio.sleep(0.01)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked

    answer = await child.derive(make_jpeg(120, 90))

    assert (answer.derivatives[0].width, answer.derivatives[0].height) == (120, 90)


async def test_questions_at_once_get_their_own_answers(child: DecodeChild) -> None:
    widths = [100, 150, 200, 250]

    answers = await asyncio.gather(*(child.derive(make_jpeg(width, 80)) for width in widths))

    assert [answer.derivatives[0].width for answer in answers] == widths


async def test_the_child_ends_with_its_parent() -> None:
    request = make_jpeg(100, 100)
    process = await asyncio.create_subprocess_exec(
        os.sys.executable, "-m", "doorstep.core.picture_decode",  # type: ignore[attr-defined]
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(Path(picture_decode.__file__).parents[2])},
    )  # fmt: skip
    # A parent that is killed closes the pipe, here in the middle of a frame.
    await process.communicate(len(request).to_bytes(4) + request[:10])

    assert process.returncode == 0


# --- The job --------------------------------------------------------------------------------------


async def stated(db: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await db.rows("SELECT kind, key, payload FROM outbox ORDER BY id")
    return rows


async def test_the_job_makes_the_pictures_and_says_so_once(db: Any) -> None:
    sha256 = await uploaded(make_jpeg(400, 300))

    await pictures.derive_pictures({"sha256": sha256})
    await pictures.derive_pictures({"sha256": sha256})

    assert await db.value("SELECT count(*) FROM picture") == 2
    assert await stated(db) == [
        {
            "kind": "flows.blob_verified",
            "key": f"blob_verified:{sha256}",
            "payload": {"sha256": sha256, "picture": True, "refusal": None},
        }
    ]


async def test_bytes_that_are_no_picture_are_stated_as_that(db: Any) -> None:
    sha256 = await uploaded(b"not a picture at all")

    await pictures.derive_pictures({"sha256": sha256})

    assert (await stated(db))[0]["payload"] == {
        "sha256": sha256,
        "picture": False,
        "refusal": "file-is-no-picture",
    }
    assert await pictures.refusal_of(sha256) == "file-is-no-picture"
    assert await pictures.refusal_of("0" * 64) is None


async def test_a_dead_child_has_the_job_run_again(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_child, "TIMEOUT", 0.001)

    with pytest.raises(DecoderDied):
        await pictures.derive_pictures({"sha256": await uploaded(make_jpeg(3000, 2000))})
    assert await stated(db) == []


# --- The link -------------------------------------------------------------------------------------


def parts(link: str) -> dict[str, Any]:
    query = dict(part.split("=", 1) for part in link.partition("?")[2].split("&"))
    return {"viewer": query["viewer"], "expires": int(query["exp"]), "signature": query["sig"]}


async def test_a_signed_link_opens_the_derivative_and_only_that(db: Any) -> None:
    sha256 = await uploaded(make_jpeg(800, 600))
    await pictures.derive(sha256)
    link = parts(pictures.url(sha256, "thumbnail", viewer="somebody"))

    data = await pictures.opened(sha256, "thumbnail", **link)

    assert image_of(data).size == (320, 240)
    with pytest.raises(pictures.NoSuchPicture):
        await pictures.opened(sha256, "large", **link)


async def test_a_right_link_to_nothing_is_refused_like_a_wrong_one(db: Any) -> None:
    sha256 = "a" * 64
    right = parts(signed_urls.sign(f"/pictures/{sha256}/large", viewer="somebody"))

    with pytest.raises(pictures.NoSuchPicture) as nothing:
        await pictures.opened(sha256, "large", **right)
    with pytest.raises(pictures.NoSuchPicture) as wrong:
        await pictures.opened(sha256, "large", viewer="x", expires=0, signature="")

    assert str(nothing.value) == str(wrong.value)


# --- What it costs --------------------------------------------------------------------------------


def test_twelve_megapixels_cost_a_tenth_of_a_second() -> None:
    photo = make_12mp_jpeg()
    picture_decode.derive(photo)

    spent = []
    for _ in range(5):
        before = time.process_time()
        picture_decode.derive(photo)
        spent.append(time.process_time() - before)

    best = min(spent)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"12 MP JPEG of {len(photo) // 1024} kB: {best * 1000:.0f} ms CPU, peak {peak} MB")
    assert best < CPU_TARGET * 5
