"""What a decoded photo shows without anybody looking: sharpness, light, its look, its barcodes.

Runs in the decode child. Plain Pillow and Python: the numbers are small, and every package that is
loaded beside a stranger's picture is one more that can break on it.
"""

from __future__ import annotations

import math
from operator import mul

import msgspec
import zxingcpp
from PIL import Image, ImageFilter, ImageStat

SIDE = 640
"""Longest side in pixels at which sharpness and light are measured."""

TILES = 4
STEADY = 25.0
"""Keeps an empty wall, where there is nothing to be sharp, from deciding."""

READ_AT = 4096
"""Longest side at which barcodes are looked for when the large derivative shows none."""

FORMATS = zxingcpp.BarcodeFormats((zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.QRCode))
"""What our labels and nearly all serial numbers are printed in; two more kinds double the cost."""

MAX_CODES = 20
MAX_CODE = 100

HASH_SIDE = 16
_DCT_SIDE = 64
_COSINES = [
    [math.cos(math.pi * k * (2 * n + 1) / (2 * _DCT_SIDE)) for n in range(_DCT_SIDE)]
    for k in range(HASH_SIDE)
]
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=2, offset=128)


class Measure(msgspec.Struct, frozen=True):
    """`sharpness` by tiles, `mean` and `p95` of the light (0 to 255), 32 bytes of `phash`, codes."""

    sharpness: float
    mean: float
    p95: int
    phash: bytes
    codes: list[str]


def measure(upright: Image.Image, codes: list[str]) -> Measure:
    """Measure an upright picture; `codes` are the barcodes that were read in it."""
    grey = upright.convert("L")
    if max(grey.size) > SIDE:
        scale = SIDE / max(grey.size)
        size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
        grey = grey.resize(size, Image.Resampling.BICUBIC)
    light = ImageStat.Stat(grey)
    return Measure(sharpness(grey), light.mean[0], _p95(grey.histogram()), phash(grey), codes)


def sharpness(grey: Image.Image) -> float:
    """Give the 80th percentile over 4 x 4 tiles of the Laplacian's variance over the contrast.

    It stays below 1.5 where a photo is blurred, whatever it shows (intelligence.md §9).
    """
    if min(grey.size) < 3 * TILES:
        return 0.0
    edges = grey.filter(_LAPLACIAN)
    # The filter leaves the outermost pixels as they were.
    inside = (1, 1, grey.width - 1, grey.height - 1)
    edges, grey = edges.crop(inside), grey.crop(inside)
    scores = []
    for row in range(TILES):
        for column in range(TILES):
            box = (
                column * grey.width // TILES, row * grey.height // TILES,
                (column + 1) * grey.width // TILES, (row + 1) * grey.height // TILES,
            )  # fmt: skip
            rough = ImageStat.Stat(edges.crop(box)).var[0] * 4
            scores.append(rough / (ImageStat.Stat(grey.crop(box)).var[0] + STEADY))
    scores.sort()
    return scores[int(0.8 * (len(scores) - 1))]


def _p95(histogram: list[int]) -> int:
    left = 0.95 * sum(histogram)
    for level, count in enumerate(histogram):
        left -= count
        if left <= 0:
            return level
    return 255


def phash(grey: Image.Image) -> bytes:
    """Hash how a picture looks: the signs of its 16 x 16 slowest waves around their median.

    Another compression or size changes a few of the 256 bits, another photo about half of them.
    """
    small = grey.resize((_DCT_SIDE, _DCT_SIDE), Image.Resampling.LANCZOS)
    pixels = small.tobytes()
    rows = [pixels[n : n + _DCT_SIDE] for n in range(0, len(pixels), _DCT_SIDE)]
    across = [[sum(map(mul, wave, row)) for row in rows] for wave in _COSINES]
    waves = [sum(map(mul, wave, column)) for wave in _COSINES for column in across]
    middle = sorted(waves)[len(waves) // 2]
    bits = "".join("1" if wave > middle else "0" for wave in waves)
    return int(bits, 2).to_bytes(HASH_SIDE * HASH_SIDE // 8)


def read_codes(image: Image.Image) -> list[str]:
    """Read the barcodes in a picture, each text once."""
    found = zxingcpp.read_barcodes(image.convert("L"), formats=FORMATS, try_invert=False)
    texts = {code.text.strip() for code in found if code.valid}
    return sorted(text for text in texts if 0 < len(text) <= MAX_CODE and text.isprintable())[
        :MAX_CODES
    ]
