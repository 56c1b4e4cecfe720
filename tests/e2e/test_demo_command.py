"""`doorstep demo --exit` in a tree of its own: its status, what it writes, and what it leaves."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorstep.core.embedded import EmbeddedStack
from doorstep.play.demo import EXPECTED_TRANCHES
from tests.support.whole_stack import run_python

ROOT = Path(__file__).parents[2]
NOBODYS_SERVERS = {"DATABASE_URL": "", "REDIS_URL": "", "BLOB_URL": ""}


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """A copy of the program, whose `.doorstep/` is nobody else's."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "backend").mkdir()
    shutil.copy(ROOT / "backend/piccolo_conf.py", tmp_path / "backend")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "backend/doorstep", tmp_path / "backend/doorstep", ignore=ignored)
    (tmp_path / "backend/fonts").symlink_to(ROOT / "backend/fonts")
    yield tmp_path
    EmbeddedStack(tmp_path / ".doorstep").remove()


async def test_the_demo_command_plays_an_order_tells_where_it_is_and_ends_everything(
    tree: Path,
) -> None:
    program = {**NOBODYS_SERVERS, "PYTHONPATH": str(tree / "backend")}
    status, said = await run_python("-m", "doorstep.cli", "demo", "--exit", **program)
    assert status == 0, said

    folder = tree / ".doorstep"
    written = folder / "demo.json"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    document = json.loads(written.read_text(encoding="utf-8"))
    assert document["base_url"].startswith("http://127.0.0.1:")
    (order,) = document["orders"]
    assert order["number"] in said
    assert order["tranches_minor"] == list(EXPECTED_TRANCHES)
    assert order["tracking_url"] == f"{document['base_url']}/t/{order['tracking_token']}"
    assert all(user["secret"] or user["enrolment_code"] for user in document["users"])

    left = EmbeddedStack(folder)
    assert (left.postgres.process, left.redis.process, left.state()) == (None, None, {})

    status, said = await run_python("-m", "doorstep.cli", "doctor", **program)
    assert status == 0, said
    assert re.fullmatch(r"All invariants hold: \d+ checks in \d+\.\d\d s\.", said.strip())
