"""Passwords and PINs: argon2id in threads of its own, the policy, the same work for nobody."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from doorstep.core.auth.errors import PasswordTooWeak, PinNotSixDigits, PinTooEasy

MINIMUM_LENGTH = 15
MAXIMUM_LENGTH = 200
FEWEST_DIFFERENT = 5

_PIN = re.compile(r"[0-9]{6}", re.ASCII)

# OWASP's setting for argon2id; 19 MiB and about 20 ms each. Two threads bound what a flood of
# sign-ins can take of memory and processor.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")

_NOBODY = _hasher.hash("nobody has this password")


def check_password(password: str, *, login: str) -> None:
    """Accept a password of 15 characters or more that is not made of the login.

    Raises: PasswordTooWeak.
    """
    if (
        not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH
        or len(set(password)) < FEWEST_DIFFERENT
        or login.lower() in password.lower()
    ):
        raise PasswordTooWeak


def check_pin(pin: str) -> None:
    """Accept six digits that are not the first ones anybody would try.

    Raises: PinNotSixDigits, PinTooEasy.
    """
    if not _PIN.fullmatch(pin):
        raise PinNotSixDigits
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= {-1, 0, 1}:
        raise PinTooEasy


async def hash_secret(secret: str) -> str:
    """Return the argon2id hash; takes about 20 ms of another thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, secret)


async def verify(secret: str, hashed: str | None) -> bool:
    """Tell whether the secret belongs to the hash; without a hash the same work is done in vain."""
    matches = await asyncio.get_running_loop().run_in_executor(
        _threads, _verify, hashed or _NOBODY, secret
    )
    return matches and hashed is not None


def _verify(hashed: str, secret: str) -> bool:
    try:
        return _hasher.verify(hashed, secret)
    except (VerificationError, InvalidHashError):
        return False
