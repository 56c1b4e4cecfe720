"""The product and its limit by turns: what slows the machine for a while slows both."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.machine import Api, Cpu
from tests.bench.replay import Rate, Replay
from tests.bench.report import Figure

ROUNDS = 3


async def over_http(
    name: str, api: Api, requests: Sequence[bytes], replay: Replay, *, status: int = 200
) -> Figure:
    """Send requests to the API, and as many works to PostgreSQL alone, a part of them each time.

    Raises: RuntimeError for an answer with another status.
    """
    part = len(requests) // ROUNDS
    answered, seconds, spent = 0, 0.0, Cpu()
    p50 = p99 = client_cpu = 0.0
    limits: list[Rate] = []
    for turn in range(ROUNDS):
        await api.machine.settle()
        load, cpu = await api.load(requests[turn * part : (turn + 1) * part])
        if set(load.statuses) != {str(status)}:
            raise RuntimeError(f"{name}: the API answered {load.statuses}")
        answered, seconds = answered + load.answered, seconds + load.seconds
        spent += cpu
        client_cpu += load.cpu_seconds
        p50, p99 = max(p50, load.p50_ms), max(p99, load.p99_ms)
        await api.machine.settle()
        limits.append(await replay.run(replay.works // ROUNDS))
    rate, limit = answered / seconds, rate_of(limits)
    return Figure(
        name=name,
        value=100 * rate / limit,
        unit="% of pgbench",
        facts={
            "per s": rate,
            "pgbench per s": limit,
            "p50 ms": p50,
            "p99 ms": p99,
            "server CPU µs": 1e6 * spent.server / answered,
            "database CPU µs": 1e6 * spent.database / answered,
            "pgbench database CPU µs": cpu_of(limits),
            "client CPU µs": 1e6 * client_cpu / answered,
            "statements": replay.statements,
        },
    )


def rate_of(limits: Sequence[Rate]) -> float:
    """Tell the transactions per second of all rounds together."""
    return sum(one.transactions for one in limits) / sum(one.seconds for one in limits)


def cpu_of(limits: Sequence[Rate]) -> float:
    """Tell PostgreSQL's CPU microseconds per transaction."""
    return 1e6 * sum(one.database_cpu for one in limits) / sum(one.transactions for one in limits)
