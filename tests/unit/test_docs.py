"""The documents name only what exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_folder_of_architecture_md_exists() -> None:
    """A folder is anything in backticks that ends with a slash."""
    folders = re.findall(r"`([\w./-]+/)`", read("ARCHITECTURE.md"))
    places = (ROOT, ROOT / "backend", ROOT / "backend" / "doorstep")
    missing = [name for name in folders if not any((place / name).is_dir() for place in places)]
    assert folders
    assert missing == []


def test_every_make_command_of_the_documents_is_a_target() -> None:
    for document in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"(?:`|^\s*|\$ )make ([a-z]+)", read(document), re.MULTILINE))
        assert named <= TARGETS, document


def test_readme_tells_the_two_commands() -> None:
    readme = read("README.md")
    assert "make demo" in readme
    assert "make test" in readme


def test_every_target_is_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(phony.group(1).split()) == TARGETS


def test_the_locks_name_packages_and_hashes_but_no_host() -> None:
    """Where packages come from is each machine's own setting."""
    assert "://" not in read("requirements.lock")
    for folder in ("backend/fonts", "pwa"):
        lock = ROOT / folder / "package-lock.json"
        packages = json.loads(lock.read_text())["packages"].values()
        assert [package for package in packages if "resolved" in package] == []
        assert all("integrity" in package for package in packages if "name" not in package)
