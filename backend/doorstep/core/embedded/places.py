"""Where the embedded servers keep data, sockets and, for root, copies of their programs."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from doorstep.core.embedded.processes import EmbeddedFailed


@dataclass(frozen=True)
class Places:
    """The folders of one embedded stack."""

    folder: Path
    """What the user sees: `.doorstep/` or the temporary folder of a test run."""
    home: Path
    """Where data lies: the same, but for root a folder that an unprivileged user can enter."""
    sockets: Path
    """Short, for the path of a Unix socket has only about 100 bytes."""
    owner: pwd.struct_passwd | None

    @classmethod
    def of(cls, folder: Path, owner: pwd.struct_passwd | None) -> Places:
        """Work out the places of `folder`; the same folder and user always get the same ones."""
        folder = Path(os.path.abspath(folder))
        name = hashlib.sha256(f"{os.geteuid()}:{folder}".encode()).hexdigest()[:12]
        short = Path("/tmp")  # noqa: S108 - checked for its owner before use.
        if not os.access(short, os.W_OK):
            short = Path(tempfile.gettempdir())
        home = Path("/var/tmp") / f"doorstep-{name}" if owner else folder  # noqa: S108
        return cls(folder, home, short / f"doorstep-{name}", owner)

    def make(self) -> None:
        """Make the folders, closed to others."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.home != self.folder:
            _own_folder(self.home, 0, 0o711)
        uid = self.owner.pw_uid if self.owner else os.geteuid()
        _own_folder(self.sockets, uid, 0o700)

    @property
    def linked(self) -> bool:
        """Whether what lies in `home` is this folder's: `folder` has a link to it, or they are one.

        Raises: EmbeddedFailed.
        """
        link = self.folder / "postgres"
        if self.home == self.folder:
            return True
        if link.exists() and not link.is_symlink():
            raise EmbeddedFailed(
                f"{link} was made by an ordinary user: run as that user, or delete {self.folder}."
            )
        return link.is_symlink() and link.readlink() == self._data

    def link(self) -> None:
        """Point from `folder` to data kept elsewhere, also when it was copied with its old link."""
        link = self.folder / "postgres"
        link.unlink(missing_ok=True)
        link.symlink_to(self._data)

    @property
    def _data(self) -> Path:
        return self.home / "postgres"

    def remove(self) -> None:
        """Delete everything but `folder` itself. The servers must have ended."""
        for place in {self.home, self.sockets} - {self.folder}:
            shutil.rmtree(place, ignore_errors=True)
        data = self.folder / "postgres"
        if data.is_symlink():
            data.unlink()
        else:
            shutil.rmtree(data, ignore_errors=True)


def _own_folder(path: Path, uid: int, mode: int) -> None:
    """Make `path`; refuse one that somebody else has laid there, as /tmp is open to all."""
    path.mkdir(mode=mode, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {uid, os.geteuid()}:
        raise EmbeddedFailed(f"{path} belongs to somebody else: delete it.")
    if found.st_uid != uid:
        os.chown(path, uid, -1)
    path.chmod(mode)
