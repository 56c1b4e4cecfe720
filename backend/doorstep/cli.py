"""The command line. Exit status 0 means that what was asked for is so."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType
from typing import NoReturn

from doorstep.commands.running import INTERRUPTED
from doorstep.core.embedded import EmbeddedFailed
from doorstep.migrations.sql_files import MigrationEdited
from doorstep.stack.supervisor import ServiceFailed


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and leave with its status."""
    options = build_parser().parse_args(arguments)
    # A plain end is answered like Ctrl-C: blocks unwind and every child is stopped.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _interrupt)
    try:
        status = options.run(options)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except (EmbeddedFailed, MigrationEdited, ServiceFailed, OSError) as failure:
        print(f"doorstep: {failure}", file=sys.stderr)
        status = 1
    sys.exit(status)


def build_parser() -> argparse.ArgumentParser:
    """Describe every command and its options (a test compares docker-compose.yml with this)."""
    parser = argparse.ArgumentParser(
        prog="doorstep", description="Deliver and install orders, every step a fact with proof."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="play one order through all stages, then keep serving")
    demo.add_argument("--exit", action="store_true", help="stop after the play")
    _add_ports(demo)
    demo.set_defaults(run=_demo)

    simulate = commands.add_parser("simulate", help="play many orders at once")
    simulate.add_argument("--orders", type=_positive, default=50)
    simulate.add_argument("--seed", type=int, default=7, help="the same seed plans the same orders")
    simulate.add_argument(
        "--detours", type=_share, default=0.0, help="the share of orders with trouble, 0 to 1"
    )
    _add_ports(simulate)
    simulate.set_defaults(run=_simulate)

    chaos = commands.add_parser("chaos", help="play orders while everything breaks")
    chaos.add_argument("--seed", type=int, default=7, help="the same seed plans the same faults")
    chaos.add_argument("--orders", type=_positive, default=100)
    chaos.add_argument("--faults", type=_positive, default=20)
    chaos.set_defaults(run=_chaos)

    serve = commands.add_parser("serve", help="serve the API")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    serve.add_argument("--processes", type=_positive, default=1)
    serve.set_defaults(run=_serve)

    worker = commands.add_parser("worker", help="run the jobs")
    worker.add_argument("--queue", action="append", help="only this queue; may be given again")
    worker.set_defaults(run=_worker)

    migrate = commands.add_parser("migrate", help="bring the database to the newest schema")
    migrate.set_defaults(run=_migrate)

    schema = commands.add_parser("schema", help="write api_schema/ from the code")
    schema.add_argument("--check", action="store_true", help="only say whether it has drifted")
    schema.set_defaults(run=_schema)

    commands.add_parser("journey", help="print the stages").set_defaults(run=_journey)
    commands.add_parser("doctor", help="check the invariants in the data").set_defaults(run=_doctor)
    return parser


def _add_ports(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="of the API; 0 takes a free one")
    parser.add_argument("--sandbox-port", type=int, default=0, help="of the pretend outside world")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return share


def _interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


# Each command is imported when it runs, so that `doorstep --help` and `worker` load no more than
# they need.


def _demo(options: argparse.Namespace) -> int:
    from doorstep.commands import play

    return play.demo(leave=options.exit, port=options.port, sandbox_port=options.sandbox_port)


def _simulate(options: argparse.Namespace) -> int:
    from doorstep.commands import play

    return play.simulate(
        orders=options.orders,
        seed=options.seed,
        detours=options.detours,
        port=options.port,
        sandbox_port=options.sandbox_port,
    )


def _chaos(options: argparse.Namespace) -> int:
    from doorstep.commands import chaos

    return chaos.chaos(seed=options.seed, orders=options.orders, faults=options.faults)


def _serve(options: argparse.Namespace) -> int:
    from doorstep.commands import serve

    return serve.serve(host=options.host, port=options.port, processes=options.processes)


def _worker(options: argparse.Namespace) -> int:
    from doorstep.commands import serve

    return serve.worker(options.queue)


def _migrate(_options: argparse.Namespace) -> int:
    from doorstep.commands import database

    return database.migrate()


def _doctor(_options: argparse.Namespace) -> int:
    from doorstep.commands import database

    return database.doctor()


def _schema(options: argparse.Namespace) -> int:
    from doorstep.commands import describe

    return describe.schema(check=options.check)


def _journey(_options: argparse.Namespace) -> int:
    from doorstep.commands import describe

    return describe.journey()


if __name__ == "__main__":
    main()
