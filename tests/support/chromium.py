"""The browser of the end-to-end tests: the system's Chromium, else one of our own.

`python -m tests.support.chromium` brings it here, as root and as an ordinary user alike: Debian's
packages are fetched by apt with folders of its own and unpacked beside the virtual environment;
nothing of the system is changed. `CHROMIUM` names another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parents[2] / ".venv" / "chromium"
RUN = HOME / "run"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PACKAGES = ("chromium", "fonts-noto-core")

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
"""Without them Chromium as root does not start, and any asks the network for things of its own."""

LAUNCHER = """\
#!/bin/sh
# Runs the Chromium that was unpacked here, with its libraries and fonts.
export LD_LIBRARY_PATH="{libraries}"
export FONTCONFIG_FILE="{fonts}"
exec "{program}" "$@"
"""

FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{here}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{here}/fontcache</cachedir>
</fontconfig>
"""


class NoChromium(RuntimeError):
    """There is none, and none can be brought here; the message says what to do."""


def find() -> Path:
    """Return the program to start.

    Raises: NoChromium.
    """
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else [*map(shutil.which, NAMES), str(RUN)]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return Path(candidate)
    raise NoChromium("There is no Chromium: `make test` brings one, or CHROMIUM names it.")


def install() -> None:
    """Bring a Chromium here unless there is one.

    Raises: NoChromium.
    """
    try:
        find()
    except NoChromium:
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise NoChromium(
                "Install Chromium with the system's packages, or name one in CHROMIUM."
            ) from None
        _unpack(_fetched(HOME / "apt"))


def _fetched(folder: Path) -> list[Path]:
    """Fetch Debian's packages, and of what they need all that this system has not."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    _run(*apt, "update")
    _run(*apt, "-y", "--no-install-recommends", "--download-only", "install", *PACKAGES)
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def _unpack(packages: list[Path]) -> None:
    root = HOME / "root"
    root.mkdir(exist_ok=True)
    for package in packages:
        _run("dpkg-deb", "--extract", str(package), str(root))
    program = root / "usr/lib/chromium/chromium"
    if not program.exists():
        raise NoChromium(f"The packages did not bring {program}.")
    libraries = {path.parent for path in root.glob("usr/lib/**/*.so*")} - {program.parent}
    fonts = HOME / "fonts.conf"
    fonts.write_text(FONTS.format(here=root))
    RUN.write_text(
        LAUNCHER.format(
            libraries=":".join(map(str, sorted(libraries))), fonts=fonts, program=program
        )
    )
    RUN.chmod(0o755)
    shutil.rmtree(HOME / "apt")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoChromium(f"{' '.join(command[:2])} failed:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    try:
        install()
    except NoChromium as missing:
        sys.exit(str(missing))
