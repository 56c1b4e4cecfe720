"""Pictures for tests and benchmarks, made on the spot; none is committed.

The photo pipeline is measured with `make_12mp_jpeg()` through
`doorstep.core.picture_decode.derive`, in CPU milliseconds of one process (performance.md target:
98 ms for both derivatives).
"""

from __future__ import annotations

import random
from io import BytesIO

from PIL import Image

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


def make_12mp_jpeg() -> bytes:
    """Make what a phone's camera gives: 4,000 x 3,000 pixels, a few megabytes."""
    return make_jpeg(4000, 3000)
