"""`chaos`: does anything get lost or done twice while everything breaks?"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from doorstep import settings
from doorstep.commands.running import run


def chaos(*, seed: int, orders: int, faults: int) -> int:
    """Play orders on a stack of its own while faults strike. Returns 0 only if all adds up."""
    # The play signs in with passwords that follow from the key of the stack it plays on.
    secret_key = os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(32))
    settings.reload()
    folder = Path(tempfile.mkdtemp(prefix="doorstep-chaos-"))
    status = run(_chaos(folder, secret_key, seed=seed, orders=orders, faults=faults))
    if status == 1:
        print(f"The logs are kept in {folder}")
    else:
        shutil.rmtree(folder)
    return status


async def _chaos(folder: Path, secret_key: str, *, seed: int, orders: int, faults: int) -> int:
    from doorstep import chaos

    result = await chaos.run(
        folder,
        seed=seed,
        orders=orders,
        strikes=faults,
        secret_key=secret_key,
        say=lambda words: print(words, flush=True),
    )
    for words in result.wrong:
        print(f"WRONG: {words}")
    return 0 if result.ok else 1
