"""Pictures as a phone would take them; no two alike."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw

from doorstep.core.barcodes import qr_modules

SIZE = (640, 480)
MODULE = 5
"""Pixels of one module of the label's QR code."""

STRIPES = 24


def photo(words: str, label: str = "") -> bytes:
    """Draw a JPEG that shows the words on a background of its own, and a label if it has one."""
    dice = random.Random(words)  # noqa: S311 - a drawing, no secret
    picture = Image.new("RGB", SIZE, tuple(dice.randrange(90, 220) for _ in range(3)))
    pen = ImageDraw.Draw(picture)
    for _ in range(STRIPES):
        box = sorted(dice.randrange(SIZE[0]) for _ in range(2))
        top = dice.randrange(SIZE[1])
        pen.rectangle(
            (box[0], top, box[1], top + dice.randrange(4, 60)),
            fill=tuple(dice.randrange(256) for _ in range(3)),
        )
    pen.text((20, 20), words, fill="white")
    if label:
        code = Image.frombytes("L", *qr_modules(label))
        picture.paste(code.resize((code.width * MODULE, code.height * MODULE)), (400, 260))
    grain = Image.frombytes("L", SIZE, dice.randbytes(SIZE[0] * SIZE[1]))
    picture = Image.blend(picture, grain.convert("RGB"), 0.05)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return file.getvalue()


def strokes() -> list[list[list[float]]]:
    """Write a signature: two strokes of points (x, y, milliseconds)."""
    return [
        [[20 + 12 * n, 80 + (n % 3) * 18, 15 * n] for n in range(24)],
        [[40 + 9 * n, 130 - (n % 4) * 11, 400 + 15 * n] for n in range(20)],
    ]
