"""`demo` and `simulate`: a whole Doorstep with a pretend outside world."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from typing import Any, TypedDict

import msgspec

from doorstep.commands.running import prepare_sample_data, run
from doorstep.core import clock
from doorstep.core.embedded import EmbeddedStack
from doorstep.stack import RunningStack, running_stack, servers


class Ports(TypedDict):
    """Where the API and the pretend outside world listen; 0 is a free port."""

    port: int
    sandbox_port: int


def demo(*, leave: bool, port: int, sandbox_port: int) -> int:
    """Play one order through all stages, write demo.json, then keep serving unless `leave`.

    Returns 0 only if every stage and every tranche is right.
    """
    with servers(made_up_secrets=True) as embedded:
        return run(_demo(embedded, leave, {"port": port, "sandbox_port": sandbox_port}))


def simulate(*, orders: int, seed: int, detours: float, port: int, sandbox_port: int) -> int:
    """Play many orders at once. Returns 0 only if every one comes to 100 % or a declared end."""
    with servers(made_up_secrets=True) as embedded:
        ports = Ports(port=port, sandbox_port=sandbox_port)
        return run(_simulate(embedded, orders, seed, detours, ports))


async def _demo(embedded: EmbeddedStack | None, leave: bool, ports: Ports) -> int:
    from doorstep.play import play_demo

    _tell_time()
    await prepare_sample_data()
    async with running_stack(embedded, **ports) as stack:
        result = await play_demo(stack.base_url, stack.sandbox_url, out=sys.stdout)
        _write_document(stack, result.document)
        status = 0 if result.ok else 1
        if not leave:
            _tell_addresses(stack, result.document)
            if result.ok:
                await _leave_jobs(stack, result.document)
            await _keep_serving(stack)
        return status


async def _leave_jobs(stack: RunningStack, document: dict[str, Any]) -> None:
    """Put a job on each phone, and write what waits where beside the rest."""
    from doorstep.play import leave_jobs

    print("\nBringing a job to each phone …", flush=True)
    jobs = await leave_jobs(stack.base_url, stack.sandbox_url, out=sys.stdout)
    _write_document(stack, document | {"open_jobs": msgspec.to_builtins(jobs)})


def _tell_time() -> None:
    """Say so where the data are ahead of the world's time."""
    if ahead := clock.offset():
        print(f"Time is {ahead} ahead here: a simulation let it pass. `make reset` begins anew.")


async def _simulate(
    embedded: EmbeddedStack | None, orders: int, seed: int, detours: float, ports: Ports
) -> int:
    from doorstep import play

    _tell_time()
    await prepare_sample_data()
    async with running_stack(embedded, **ports) as stack:

        async def turn(by: timedelta) -> None:
            print(f"Time passes: {by}.", flush=True)
            await stack.move_time(by)

        if not stack.lets_time_pass:
            print(
                "Time passes only in a stack that this command runs itself: nothing waits for it."
            )
        result = await play.simulate(
            stack.base_url,
            stack.sandbox_url,
            orders,
            seed,
            detours,
            turn=turn if stack.lets_time_pass else None,
        )
        return 0 if result.ok else 1


def _write_document(stack: RunningStack, document: dict[str, Any]) -> None:
    """Write what a visitor needs: addresses, sign-ins, orders. It holds secrets, hence the mode."""
    target = stack.folder / "demo.json"
    target.touch(mode=0o600)
    text = json.dumps({"base_url": stack.base_url, **document}, indent=2, ensure_ascii=False)
    target.write_text(text + "\n", encoding="utf-8")


def _tell_codes(document: dict[str, Any]) -> None:
    """Print with which codes the field people of the first channel enrol a phone."""
    people = [user for user in document["users"] if user["enrolment_code"]]
    for user in people:
        if user["channel"] == people[0]["channel"]:
            print(f"  {user['role']:<11} {user['name']:<15} {user['enrolment_code']}")


def _tell_addresses(stack: RunningStack, document: dict[str, Any]) -> None:
    """Print where everything is."""
    print()
    print(f"API            {stack.base_url}")
    print(f"Field app      {stack.base_url}/app/")
    _tell_codes(document)
    print(f"Outside world  {stack.sandbox_url}")
    print(f"Sign-ins       {stack.folder / 'demo.json'}")


async def _keep_serving(stack: RunningStack) -> None:
    """Serve until told to stop."""
    print()
    if not stack.is_ours:
        print("Another command keeps these running.", flush=True)
        return
    print(f"Logs           {stack.folder}/*.log")
    print("Ctrl-C stops everything.", flush=True)
    try:
        await stack.forever()
    except asyncio.CancelledError:
        print("Stopping.", flush=True)
