"""Pictures for tests and benchmarks, made on the spot; none is committed.

The photo pipeline is measured with `make_12mp_jpeg()` through
`doorstep.core.picture_decode.derive`, in CPU milliseconds of one process (performance.md target:
98 ms for both derivatives, 250 ms with what is measured).
"""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path

import zxingcpp
from PIL import Image, ImageDraw

ORIENTATION = 0x0112
GPS = 0x8825


def make_jpeg(
    width: int, height: int, *, seed: int = 7, orientation: int = 1, quality: int = 90
) -> bytes:
    """Make a photo-like JPEG: smooth colour, some grain, EXIF with a place and an orientation."""
    rng = random.Random(seed)
    coarse = Image.frombytes("RGB", (64, 48), rng.randbytes(64 * 48 * 3))
    grain = Image.frombytes(
        "L", (width // 3, height // 3), rng.randbytes(width // 3 * (height // 3))
    )
    image = coarse.resize((width, height), Image.Resampling.BICUBIC)
    layer = grain.resize((width, height), Image.Resampling.BICUBIC)
    image = Image.blend(image, Image.merge("RGB", (layer, layer, layer)), 0.15)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (25.0, 12.0, 3.6)
    out = BytesIO()
    image.save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


def make_12mp_jpeg(seed: int = 7) -> bytes:
    """Make what a phone's camera gives: 4,000 x 3,000 pixels, a few megabytes."""
    return make_jpeg(4000, 3000, seed=seed)


# --- Photos at a door -----------------------------------------------------------------------------


def draw_door(
    seed: int, *labels: str, size: tuple[int, int] = (1600, 1200), shift: float = 0.0
) -> Image.Image:
    """Draw a parcel before a door: wall, door, floor, box, and a label with Code 128 and QR.

    The seed gives the scene; `labels` are what is printed on the box. `shift` moves the camera by
    that share of the width, as a second photo of the same door would.
    """
    rng = random.Random(seed)
    image = _plaster(rng, size)
    pen = ImageDraw.Draw(image)
    wide, high = size
    moved = shift * wide

    def at(x: float, y: float) -> tuple[float, float]:
        return x * wide + moved, y * high + moved / 2

    floor = rng.uniform(0.62, 0.8)
    pen.rectangle((0, floor * high + moved / 2, wide, high), fill=_colour(rng, 60, 190))
    for n in range(rng.randrange(3, 9)):
        y = floor + (1 - floor) * (n / 8) ** 1.5
        pen.line((*at(-0.2, y), *at(1.2, y)), fill=_colour(rng, 30, 120), width=3)
    left = rng.uniform(0.05, 0.45)
    right = left + rng.uniform(0.25, 0.4)
    top = rng.uniform(0.02, 0.15)
    pen.rectangle(
        (*at(left, top), *at(right, floor)), fill=_colour(rng, 40, 210), outline=0, width=6
    )
    for n in range(rng.randrange(1, 4)):
        inner = top + (floor - top) * n / 3 + 0.03
        box = (*at(left + 0.04, inner), *at(right - 0.04, inner + 0.12))
        pen.rectangle(box, outline=_colour(rng, 0, 90), fill=_colour(rng, 60, 230), width=4)
    for _ in range(rng.randrange(2, 9)):
        x, y, r = rng.random(), rng.random(), rng.uniform(0.01, 0.06)
        pen.ellipse((*at(x, y), *at(x + r, y + r * 1.6)), fill=_colour(rng, 20, 240))
    x, y = rng.uniform(0.15, 0.4), rng.uniform(0.45, 0.52)
    pen.rectangle(
        (*at(x, y), *at(x + 0.48, y + 0.44)), fill=(176, 138, 96), outline=(90, 66, 40), width=5
    )
    pen.line((*at(x, y + 0.1), *at(x + 0.48, y + 0.1)), fill=(150, 116, 80), width=8)
    for n, label in enumerate(labels):
        paper = _label(label, round(0.3 * wide))
        image.paste(paper, tuple(map(round, at(x + 0.06 + 0.02 * n, y + 0.12 + 0.16 * n))))
    return _grain(image, rng.randrange(2**32))


def make_film(path: Path, *labels: str) -> None:
    """Write what a camera sees that is held before each label in turn, as Chromium plays it (MJPEG)."""
    frames = []
    for label in labels:
        frame = Image.new("RGB", (1280, 720), (96, 110, 104))
        paper = _label(label, 900)
        frame.paste(paper, ((1280 - paper.width) // 2, (720 - paper.height) // 2))
        frames += [to_jpeg(frame)] * 15
    path.write_bytes(b"".join(frames))


def to_jpeg(image: Image.Image, quality: int = 85) -> bytes:
    """Compress as a phone does."""
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _colour(rng: random.Random, low: int, high: int) -> tuple[int, int, int]:
    return rng.randrange(low, high), rng.randrange(low, high), rng.randrange(low, high)


def _plaster(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, _colour(rng, 110, 230))
    for cells, weight in ((6, 0.18), (40, 0.08), (300, 0.06)):
        noise = Image.frombytes("L", (cells, cells), rng.randbytes(cells * cells))
        layer = noise.resize(size, Image.Resampling.BICUBIC)
        image = Image.blend(image, Image.merge("RGB", (layer, layer, layer)), weight)
    return image


def _grain(image: Image.Image, seed: int) -> Image.Image:
    """Add what a sensor adds: noise of its own in every photo, also of the same scene."""
    rng = random.Random(seed)
    noise = Image.frombytes("L", image.size, rng.randbytes(image.width * image.height))
    return Image.blend(image, Image.merge("RGB", (noise, noise, noise)), 0.03)


def _label(text: str, width: int) -> Image.Image:
    paper = Image.new("RGB", (width, round(width * 0.62)), "white")
    bars = _bars(text, zxingcpp.BarcodeFormat.Code128)
    code = bars.resize((round(width * 0.9), round(width * 0.2)), Image.Resampling.NEAREST)
    paper.paste(code, (round(width * 0.05), round(width * 0.04)))
    square = round(width * 0.32)
    paper.paste(
        _bars(text, zxingcpp.BarcodeFormat.QRCode).resize((square, square)),
        (round(width * 0.62), round(width * 0.27)),
    )
    pen = ImageDraw.Draw(paper)
    for n in range(5):
        pen.text((width * 0.05, width * (0.28 + 0.06 * n)), f"{text} {n}", fill="black")
    return paper


def _bars(text: str, kind: zxingcpp.BarcodeFormat) -> Image.Image:
    view = memoryview(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=6))
    high, wide = view.shape
    return Image.frombytes("L", (wide, high), view.tobytes()).convert("RGB")
