"""The child process that makes a portrait of what somebody has uploaded; framed as `picture_decode` is.

Run as `python -m doorstep.core.portrait_decode`. Its parent is `flows/portraits.py`.
"""

from __future__ import annotations

import sys
from io import BytesIO

from PIL import Image

from doorstep.core.picture_decode import (
    QUALITY,
    TURNS,
    Answer,
    Derivative,
    limit_this_process,
    on_paper,
    opened,
    orientation_of,
    serve,
    true_colour,
)

SIDE = 160
"""Pixels of a portrait's side; it is shown at half of that, so that it is sharp on any phone."""

MOVING = frozenset({"PNG", "WEBP"})
"""Of these a second frame is a film. A JPEG's is what cameras add: a depth map, another exposure."""


def portrait(data: bytes) -> Answer:
    """Make a square upright JPEG of a picture's middle, without any of its metadata."""
    return opened(data, _portrait)


def _portrait(image: Image.Image, kind: str) -> Answer:
    frames = getattr(image, "n_frames", 1)
    if kind in MOVING and frames > 1:
        return Answer(refusal="animated", detail=f"{frames} frames")
    return Answer([_square(image)])


def _square(image: Image.Image) -> Derivative:
    turn = TURNS.get(orientation_of(image))
    # A JPEG is decoded straight to a half, quarter or eighth, while both sides stay long enough.
    image.draft("RGB", (SIDE, SIDE))
    image.load()
    left, top, side = _middle(image.size)
    box = (left, top, left + side, top + side)
    small = true_colour(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)
    if small.mode == "RGBA":
        small = on_paper(small)
    if turn is not None:
        small = small.transpose(turn)
    small.info = {}
    out = BytesIO()
    small.save(out, "JPEG", quality=QUALITY)
    return Derivative("portrait", SIDE, SIDE, out.getvalue())


def _middle(size: tuple[int, int]) -> tuple[int, int, int]:
    """Find the largest square in the middle: left, top, side."""
    side = min(size)
    return (size[0] - side) // 2, (size[1] - side) // 2, side


if __name__ == "__main__":
    limit_this_process()
    serve(sys.stdin.buffer, sys.stdout.buffer, portrait)
