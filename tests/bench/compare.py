"""The product and its limit by turns: what slows the machine for a while slows both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.client import Load
from tests.bench.machine import Api, Cpu
from tests.bench.replay import Rate, Replay
from tests.bench.report import Figure

ROUNDS = 3


@dataclass
class Limit:
    """What pgbench reached in all rounds together."""

    rounds: list[Rate] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Transactions per second."""
        return self.transactions / sum(one.seconds for one in self.rounds)

    @property
    def cpu_us(self) -> float:
        """PostgreSQL's CPU microseconds per transaction."""
        return 1e6 * sum(one.database_cpu for one in self.rounds) / self.transactions

    @property
    def transactions(self) -> int:
        """How many were sent."""
        return sum(one.transactions for one in self.rounds)


async def over_http(
    api: Api, loads: Mapping[str, Sequence[bytes]], replay: Replay, *, status: int = 200
) -> list[Figure]:
    """Send requests to the API, and works to PostgreSQL alone, a part of them each time.

    `loads` names the requests of each figure; all are compared with the same replay.

    Raises: RuntimeError for an answer with another status.
    """
    seen: dict[str, list[tuple[Load, Cpu]]] = {name: [] for name in loads}
    limit = Limit()
    for turn in range(ROUNDS):
        for name, requests in loads.items():
            part = len(requests) // ROUNDS
            await api.machine.settle()
            seen[name].append(await api.load(requests[turn * part : (turn + 1) * part]))
            if set(seen[name][-1][0].statuses) != {str(status)}:
                raise RuntimeError(f"{name}: the API answered {seen[name][-1][0].statuses}")
        await api.machine.settle()
        limit.rounds.append(await replay.run(replay.works // ROUNDS))
    return [_figure(name, rounds, limit, replay) for name, rounds in seen.items()]


def _figure(name: str, rounds: Sequence[tuple[Load, Cpu]], limit: Limit, replay: Replay) -> Figure:
    loads, spent = zip(*rounds, strict=True)
    answered = sum(load.answered for load in loads)
    server = 1e6 * sum(cpu.server for cpu in spent) / answered
    database = 1e6 * sum(cpu.database for cpu in spent) / answered
    rate = answered / sum(load.seconds for load in loads)
    return Figure(
        name=name,
        value=100 * rate / limit.rate,
        unit="% of pgbench",
        facts={
            "per s": rate,
            "pgbench per s": limit.rate,
            "p50 ms": max(load.p50_ms for load in loads),
            "p99 ms": max(load.p99_ms for load in loads),
            "server CPU µs": server,
            "database CPU µs": database,
            "pgbench database CPU µs": limit.cpu_us,
            # What others do on the machine at the same time touches this one less.
            "% by CPU": 100 * limit.cpu_us / (server + database),
            "client CPU µs": 1e6 * sum(load.cpu_seconds for load in loads) / answered,
            "statements": replay.statements,
        },
    )


def per_item(figure: Figure, batch: int) -> Figure:
    """Count items where requests that each bring so many were counted; the limit stays as it is."""
    figure.value *= batch
    for name in ("per s", "% by CPU"):
        figure.facts[name] *= batch
    for name in ("server CPU µs", "database CPU µs", "client CPU µs"):
        figure.facts[name] /= batch
    return figure
