"""A phone's photo becomes the two pictures that people see; beside it, the obvious way."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageOps

from doorstep.core.picture_decode import SIZES, derive
from tests.bench.report import Figure
from tests.support.pictures import make_12mp_jpeg

TURNS = 7


def measure() -> Figure:
    """Time both in CPU milliseconds of this process, by turns."""
    photo = make_12mp_jpeg()
    answer = derive(photo)
    if [one.name for one in answer.derivatives] != list(SIZES):
        raise RuntimeError(f"the photo was refused: {answer.refusal} {answer.detail}")
    ours, naive = [], []
    for _ in range(TURNS):
        ours.append(_cpu_ms(lambda: derive(photo)))
        naive.append(_cpu_ms(lambda: _naive(photo)))
    return Figure(
        name="photo",
        value=statistics.median(ours),
        unit="ms CPU",
        facts={
            "naive ms": statistics.median(naive),
            "times faster": statistics.median(naive) / statistics.median(ours),
            "photo MB": len(photo) / 1e6,
        },
    )


def _naive(photo: bytes) -> None:
    for side in SIZES.values():
        with Image.open(BytesIO(photo)) as image:
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=None)
            upright.save(BytesIO(), "JPEG", quality=80)


def _cpu_ms(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return 1000 * (time.process_time() - before)
