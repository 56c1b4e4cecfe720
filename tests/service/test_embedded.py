"""The embedded PostgreSQL and Redis: crashes, stale files, several commands at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis import Redis

from doorstep.core.embedded import EmbeddedFailed, EmbeddedStack, processes
from doorstep.core.embedded import redis as embedded_redis
from doorstep.core.embedded.places import Places

pytestmark = pytest.mark.xdist_group("embedded")

SECOND_START = 3.0
"""Seconds that the second start may take; as for all absolute times a test allows five times."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One data folder for the whole file: making a cluster is the slow part."""
    path = tmp_path_factory.mktemp("embedded")
    yield path
    EmbeddedStack(path, fsync=False).remove()


@pytest.fixture
def stack(folder: Path) -> Iterator[EmbeddedStack]:
    stack = EmbeddedStack(folder, fsync=False)
    stack.start()
    yield stack
    stack.stop()


async def ask(stack: EmbeddedStack, sql: str, user: str = "doorstep") -> object:
    connection = await asyncpg.connect(stack.postgres.url(user=user))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def answers(stack: EmbeddedStack) -> bool:
    with Redis.from_url(stack.redis.url()) as client:
        return bool(client.ping())


async def test_it_is_postgresql_18_with_our_settings(stack: EmbeddedStack) -> None:
    assert str(await ask(stack, "SHOW server_version")).startswith("18.")
    assert await ask(stack, "SHOW jit") == "off"
    assert await ask(stack, "SHOW synchronous_commit") == "on"
    assert await ask(stack, "SHOW listen_addresses") == ""


async def test_the_servers_run_as_an_ordinary_user(stack: EmbeddedStack) -> None:
    assert stack.postgres.process is not None
    assert stack.postgres.process.uids().effective != 0


def test_redis_keeps_nothing_and_evicts_nothing(stack: EmbeddedStack) -> None:
    with Redis.from_url(stack.redis.url()) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("port") == {"port": "0"}


async def test_the_data_is_there_again_after_a_quick_second_start(folder: Path) -> None:
    with EmbeddedStack(folder, fsync=False) as stack:
        await ask(stack, "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    began = time.monotonic()
    with EmbeddedStack(folder, fsync=False) as stack:
        assert time.monotonic() - began < 5 * SECOND_START
        assert await ask(stack, "SELECT answer FROM kept") == 42


def test_nothing_is_left_after_the_stop(folder: Path) -> None:
    with EmbeddedStack(folder, fsync=False) as stack:
        processes = [stack.postgres.process, stack.redis.process]
    assert [process for process in processes if process and is_alive(process)] == []
    assert stack.state() == {}


async def test_killed_servers_are_started_again(stack: EmbeddedStack) -> None:
    stack.postgres.kill()
    stack.redis.kill()
    stack.ensure()
    assert await ask(stack, "SELECT 1") == 1
    assert answers(stack)


async def test_a_killed_server_that_nobody_has_reaped(stack: EmbeddedStack) -> None:
    process = stack.postgres.process
    assert process is not None
    process.kill()
    assert processes.wait_until(lambda: not is_alive(process), 10)
    stack.ensure()
    assert await ask(stack, "SELECT 1") == 1


async def test_a_lock_file_whose_number_belongs_to_another_process_now(folder: Path) -> None:
    with EmbeddedStack(folder, fsync=False) as stack:
        stack.postgres.kill()
        file = stack.postgres.data / "postmaster.pid"
        lines = file.read_text().splitlines()
        file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        stack.ensure()
        assert await ask(stack, "SELECT 1") == 1


def test_a_redis_number_that_belongs_to_another_process_now(stack: EmbeddedStack) -> None:
    stack.redis.kill()
    (stack.redis.socket.parent / "redis.pid").write_text(str(os.getpid()))
    assert stack.redis.process is None
    stack.ensure()
    assert answers(stack)


async def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    stack = EmbeddedStack(tmp_path / "data", fsync=False)
    stack.postgres.places.make()
    half = stack.postgres.data.with_name("postgres.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    try:
        stack.start()
        assert await ask(stack, "SELECT current_user") == "doorstep"
    finally:
        stack.remove()


async def test_two_commands_share_and_the_last_one_stops(folder: Path) -> None:
    first, second = EmbeddedStack(folder, fsync=False), EmbeddedStack(folder, fsync=False)
    first.start()
    second.start()
    assert first.postgres.process == second.postgres.process
    first.stop()
    assert await ask(second, "SELECT 1") == 1
    assert answers(second)
    second.stop()
    assert second.postgres.process is None
    assert second.redis.process is None
    first.postgres.stop()
    first.redis.stop()


def test_commands_that_start_at_the_same_moment_share(folder: Path) -> None:
    commands = [
        run_stack(folder, "print(stack.postgres.process.pid, flush=True); input()") for _ in "123"
    ]
    pids = {read_line(command) for command in commands}
    assert len(pids) == 1
    for command in commands:
        command.communicate(b"\n", timeout=30)
        assert command.returncode == 0
    assert EmbeddedStack(folder).postgres.process is None


async def test_a_killed_command_leaves_nothing_that_blocks_the_next(folder: Path) -> None:
    command = run_stack(
        folder, "print(stack.postgres.process.pid, stack.redis.process.pid, flush=True); input()"
    )
    servers = [psutil.Process(int(pid)) for pid in read_line(command).split()]
    command.send_signal(signal.SIGKILL)
    command.communicate()
    assert processes.wait_until(lambda: not any(map(is_alive, servers)), 10)
    with EmbeddedStack(folder, fsync=False) as stack:
        assert await ask(stack, "SELECT 1") == 1


def test_a_server_that_outlived_its_data_folder(tmp_path: Path) -> None:
    stack = EmbeddedStack(tmp_path / "data", fsync=False)
    stack.start()
    stranded = stack.postgres.process
    assert stranded is not None
    try:
        # A server that notices takes its last files away itself, between a look at one and its removal.
        for _ in range(100):
            shutil.rmtree(stack.postgres.data, ignore_errors=True)
        assert not stack.postgres.data.exists()
        stack.ensure()
        assert stack.postgres.process not in {None, stranded}
        assert not is_alive(stranded)
    finally:
        stack.remove()


@pytest.mark.parametrize("running", [False, True])
async def test_data_whose_folder_was_deleted_is_not_found_again(
    tmp_path: Path, running: bool
) -> None:
    """As root it lies elsewhere: a new clone at the old path met people whose passwords it had not."""
    old = EmbeddedStack(tmp_path / "data", fsync=False)
    old.start()
    await ask(old, "CREATE TABLE of_the_old_one ()", "postgres")
    if not running:
        old.stop()
    # The janitor may be writing its last file.
    assert processes.wait_until(lambda: is_deleted(tmp_path / "data"), 10)
    new = EmbeddedStack(tmp_path / "data", fsync=False)
    try:
        new.start()
        assert await ask(new, "SELECT to_regclass('of_the_old_one')") is None
        await ask(new, "CREATE TABLE of_the_new_one ()", "postgres")
        new.stop()
        new.start()
        assert await ask(new, "SELECT to_regclass('of_the_new_one')") is not None
    finally:
        new.remove()
        old.stop()


def test_data_of_an_ordinary_user_is_refused_before_anything_is_deleted(tmp_path: Path) -> None:
    places = Places(tmp_path / "data", tmp_path / "home", tmp_path / "sockets", None)
    (places.folder / "postgres").mkdir(parents=True)
    with pytest.raises(EmbeddedFailed, match="ordinary user"):
        _ = places.linked


def is_deleted(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    places = Places.of(tmp_path / "data", None)
    places.sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedFailed, match="belongs to somebody else"):
            places.make()
    finally:
        places.sockets.unlink()


def test_without_any_redis_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(embedded_redis.util, "find_spec", lambda _name: None)
    with pytest.raises(EmbeddedFailed, match=r"install redis-server or valkey-server 6\.2"):
        embedded_redis.find_server()


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def run_stack(folder: Path, body: str) -> subprocess.Popen[bytes]:
    """Start another command that holds the stack while `body` runs."""
    code = f"""
        from doorstep.core.embedded import EmbeddedStack
        with EmbeddedStack({str(folder)!r}, fsync=False) as stack:
            {body}
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def read_line(command: subprocess.Popen[bytes]) -> str:
    assert command.stdout is not None
    return command.stdout.readline().decode().strip()
