"""The parent's side of the decode child: one process, one picture at a time, replaced if it dies."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec
import structlog

from doorstep.core.picture_decode import SECONDS, Answer

TIMEOUT = SECONDS + 5
RENEW_AFTER = 500
"""Pictures after which a child is replaced, so that scattered memory never fills its limit."""

_PACKAGES = str(Path(__file__).parents[2])

log = structlog.get_logger(__name__)


class DecoderDied(RuntimeError):
    """The child ended on a picture: memory, time, a crash. The next picture gets a new child."""


class DecodeChild:
    """A child process that is started when the first picture comes; `module` is what it runs."""

    def __init__(self, module: str = "doorstep.core.picture_decode") -> None:
        self._module = module
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._decoded = 0

    async def derive(self, data: bytes) -> Answer:
        """Let the child make the derivatives of a picture.

        Raises: DecoderDied.
        """
        async with self._lock:
            process = await self._running()
            try:
                async with asyncio.timeout(TIMEOUT):
                    answer = await _ask(process, data)
            except BaseException as failed:
                # Also after a cancel: half a frame in the pipe would answer the wrong question.
                await self._end()
                if isinstance(failed, OSError | EOFError):
                    log.warning("core.decoder_died", exit_status=process.returncode)
                    raise DecoderDied(f"The decoder ended with {process.returncode}.") from failed
                raise
            self._decoded += 1
            if self._decoded >= RENEW_AFTER:
                await self._end()
            return answer

    async def stop(self) -> None:
        """End the child, if there is one."""
        async with self._lock:
            await self._end()

    @property
    def pid(self) -> int | None:
        """Tell the process id of the running child."""
        return None if self._process is None else self._process.pid

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._decoded = 0
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # Nothing of our environment: whoever takes over a decoder finds no keys in it.
                env={"PYTHONPATH": _PACKAGES, "LC_ALL": "C.UTF-8"},
            )
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ask(process: asyncio.subprocess.Process, data: bytes) -> Answer:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    process.stdin.write(len(data).to_bytes(4) + data)
    await process.stdin.drain()
    size = int.from_bytes(await process.stdout.readexactly(4))
    return msgspec.msgpack.decode(await process.stdout.readexactly(size), type=Answer)
