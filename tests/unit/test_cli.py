"""The command line: what it accepts, and which servers a command gets."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from doorstep import settings
from doorstep.cli import build_parser, main
from doorstep.commands import describe, running
from doorstep.stack import backing
from doorstep.stack.backing import servers


@pytest.mark.parametrize(
    "words",
    [
        "demo",
        "demo --exit --port 8001",
        "simulate --orders 50 --seed 7",
        "chaos --seed 7 --orders 100 --faults 20",
        "serve --host 0.0.0.0 --port 0 --processes 2",
        "worker --queue money --queue default",
        "migrate",
        "schema --check",
        "journey",
        "doctor",
    ],
)
def test_every_command_is_understood(words: str) -> None:
    assert callable(build_parser().parse_args(words.split()).run)


@pytest.mark.parametrize("words", ["", "fly", "simulate --orders 0", "serve --processes none"])
def test_nonsense_ends_with_status_two(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        build_parser().parse_args(words.split())
    assert left.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_an_interrupted_command_says_so_with_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    # Loggers keep the level they first saw, and this process has other tests to log for.
    monkeypatch.setattr(running.logging, "configure", lambda **_: None)

    async def interrupt() -> int:
        os.kill(os.getpid(), 15)
        await running.asyncio.sleep(5)
        return 0

    assert running.run(interrupt()) == running.INTERRUPTED


def test_configured_servers_are_used_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(backing, "data_folder", lambda: tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://real/database")
    monkeypatch.setenv("REDIS_URL", "redis://real")
    monkeypatch.setenv("BLOB_URL", "s3://real")
    with servers() as embedded:
        assert embedded is None
        assert settings.settings().database_url == "postgresql://real/database"
        assert settings.settings().blob_url == "s3://real"
    assert list(tmp_path.iterdir()) == []
    # The settings were read while the environment pointed there.
    monkeypatch.undo()
    settings.reload()


def test_made_up_secrets_are_kept_and_closed_to_others(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    made = backing._kept_secrets(file)
    assert made == backing._kept_secrets(file)
    assert len(made["SECRET_KEY"]) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_every_made_up_secret_is_a_setting() -> None:
    fields = {name.upper() for name in settings.Settings.__struct_fields__}
    assert backing.SECRETS.keys() <= fields


def documents() -> dict[str, Any]:
    return {"journey.json": {"stages": [1001]}}


@pytest.fixture
def api_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(describe, "FOLDER", tmp_path)
    monkeypatch.setattr(describe, "_documents", documents)
    return tmp_path / "journey.json"


def test_schema_writes_what_the_code_says(api_schema: Path) -> None:
    assert describe.schema(check=False) == 0
    assert json.loads(api_schema.read_text()) == documents()["journey.json"]
    assert describe.schema(check=True) == 0


def test_schema_check_tells_the_drift_and_changes_nothing(
    api_schema: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api_schema.write_text("{}\n")
    assert describe.schema(check=True) == 1
    assert api_schema.read_text() == "{}\n"
    assert "+    1001" in capsys.readouterr().out


def test_journey_prints_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["journey"])
    assert left.value.code == 0
    printed = capsys.readouterr().out
    assert [code for code in range(1001, 1019) if str(code) not in printed] == []
