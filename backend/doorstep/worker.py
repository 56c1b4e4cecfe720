"""The worker process: brings outbox rows to arq's queues and runs their jobs.

`doorstep worker` runs every queue in one process; `--queue money` runs only that one. Any number
of workers may run, on any number of machines. SIGTERM lets running jobs finish.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
import uvloop

from doorstep import journey, ports
from doorstep.adapters import client, web_push
from doorstep.adapters.checkout import CheckoutHook
from doorstep.adapters.checkout_links import CheckoutLinks
from doorstep.adapters.clickpost import ClickPostHook
from doorstep.adapters.magento import MagentoShop
from doorstep.adapters.messengers import Messengers, configured_hooks
from doorstep.adapters.razorpayx import RazorpayX, RazorpayXHook
from doorstep.adapters.web_push import WebPush
from doorstep.core import blobs, clock, db_engine, failpoints, pictures, redis
from doorstep.core import logging as core_logging
from doorstep.core.auth import tokens
from doorstep.core.jobs import queue_worker, queues
from doorstep.core.jobs.queue_worker import QueueWorker
from doorstep.core.jobs.relay import Relay
from doorstep.core.jobs.ticks import tick_for_ever
from doorstep.flows.reactions import REACTIONS
from doorstep.settings import settings

JOB_MODULES = (
    "doorstep.adapters.upkeep",
    "doorstep.core.auth.jobs",
    "doorstep.core.captures.handling",
    "doorstep.core.inbox",
    "doorstep.core.pictures",
    "doorstep.core.uploads",
    "doorstep.core.upkeep",
    "doorstep.journey.chain",
    "doorstep.modules.finance.jobs",
    "doorstep.modules.helpdesk.jobs",
    "doorstep.modules.messages.jobs",
    "doorstep.modules.places.jobs",
    "doorstep.modules.push.jobs",
    "doorstep.flows.administrators",
    "doorstep.flows.arrivals",
    "doorstep.flows.care",
    "doorstep.flows.closing",
    "doorstep.flows.count",
    "doorstep.flows.dispatch",
    "doorstep.flows.earnings",
    "doorstep.flows.door_links",
    "doorstep.flows.erasure",
    "doorstep.flows.escalations",
    "doorstep.flows.fleet",
    "doorstep.flows.expected_dates",
    "doorstep.flows.hands",
    "doorstep.flows.message_news",
    "doorstep.flows.missing_pictures",
    "doorstep.flows.notify",
    "doorstep.flows.offers",
    "doorstep.flows.place_order",
    "doorstep.flows.phones",
    "doorstep.flows.phones_at_risk",
    "doorstep.flows.pickups",
    "doorstep.flows.piece_reports",
    "doorstep.flows.portraits",
    "doorstep.flows.previews",
    "doorstep.flows.procure",
    "doorstep.flows.settle",
    "doorstep.flows.shift_close",
    "doorstep.flows.shop_orders",
    "doorstep.flows.short_stock",
    "doorstep.flows.source_again",
    "doorstep.flows.steps_held",
    "doorstep.flows.transport",
    "doorstep.flows.unpaid",
    "doorstep.flows.vendor_answers",
    "doorstep.flows.unrouted",
    "doorstep.flows.van_down",
    "doorstep.flows.visit_news",
    "doorstep.flows.warranty_reminders",
    "doorstep.flows.warranty_transfers",
    "doorstep.doors.field.captured",
)
"""Every module that registers a job, a handler or a type of capture when it is imported."""

DRAIN_SECONDS = 25.0
"""How long running jobs may go on after SIGTERM; supervisors kill after 30."""

log = structlog.get_logger(__name__)


class UnknownQueue(ValueError):
    """A worker was asked to run a queue that no job is in."""


def load_jobs() -> None:
    """Import every module of `JOB_MODULES`, so that its jobs are registered; bind what they use."""
    for module in JOB_MODULES:
        importlib.import_module(module)
    journey.bind(REACTIONS)
    ports.bind(
        shop=MagentoShop.configured(),
        bank=RazorpayX.configured(),
        messenger=Messengers.configured(),
        payment_links=CheckoutLinks.configured(),
        pusher=WebPush.configured(),
        checkout=CheckoutHook.configured(),
        clickpost=ClickPostHook.configured(),
        bank_hook=RazorpayXHook.configured(),
        message_hooks=configured_hooks(),
    )


def compose() -> None:
    """Register every job, give the journey its reactions and put an adapter behind each port."""
    load_jobs()


def main(only: Sequence[str] | None = None) -> int:
    """Run jobs until SIGTERM or SIGINT; `only` names the queues to run, None means all.

    Returns the exit status. Raises: UnknownQueue.
    """
    failpoints.start(settings())
    clock.start(settings())
    tokens.secret_key()
    core_logging.configure(as_json=settings().log_json, level=settings().log_level)
    # arq tells of each job in two lines of its own; the executor tells in one of ours.
    logging.getLogger("arq").setLevel(logging.WARNING)
    compose()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(only, _signalled))
    return 0


async def run(only: Sequence[str] | None, until: Callable[[], Awaitable[object]]) -> None:
    """Run the queues until `until()` returns, then let the running jobs finish.

    Raises: UnknownQueue; whatever ended a part of the worker that must never end.
    """
    chosen = list(only or queues())
    if unknown := set(chosen) - set(queues()):
        raise UnknownQueue(", ".join(sorted(unknown)))
    async with _resources():
        queue = queue_worker.connect()
        name = f"{socket.gethostname()}:{os.getpid()}"
        workers = [QueueWorker(one, queue, name) for one in chosen]
        try:
            await _work(workers, Relay(queue), until)
        finally:
            await queue.aclose(close_connection_pool=True)


async def _work(
    workers: Sequence[QueueWorker], relay: Relay, until: Callable[[], Awaitable[object]]
) -> None:
    ended = asyncio.ensure_future(until())
    endless = [
        asyncio.create_task(part)
        for part in (relay.run(), tick_for_ever(), *(worker.main() for worker in workers))
    ]
    log.info("worker.started", queues=[worker.queue for worker in workers])
    try:
        await asyncio.wait([ended, *endless], return_when=asyncio.FIRST_COMPLETED)
    finally:
        await queue_worker.end([ended, *endless])
        await asyncio.gather(*(worker.drain(DRAIN_SECONDS) for worker in workers))
        log.info("worker.stopped")
    for task in endless:
        if not task.cancelled() and (failure := task.exception()) is not None:
            raise failure


async def _signalled() -> None:
    """Wait for SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


@asynccontextmanager
async def _resources() -> AsyncIterator[None]:
    await _connect()
    try:
        await blobs.start(settings().blob_url)
        yield
    finally:
        await pictures.stop()
        await client.close()
        await web_push.close()
        await blobs.stop()
        await redis.stop()
        await db_engine.stop()


async def _connect() -> None:
    while True:
        try:
            await db_engine.start(
                settings().database_url,
                pool_size=settings().db_pool_size,
                command_timeout=settings().db_command_timeout,
            )
        except db_engine.DatabaseUnavailable as lost:
            log.warning("worker.waits_for_database", reason=str(lost))
            await asyncio.sleep(1)
        else:
            return


if __name__ == "__main__":
    raise SystemExit(main())
