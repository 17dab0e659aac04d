"""Addresses, and what a server is asked before jobs are trusted to it."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis.exceptions import OutOfMemoryError

from ethereal_gui.domain.errors import (
    EvictionPolicyError,
    QueueError,
    ServerRefusedError,
    ServerUnavailableError,
    SettingsError,
)
from ethereal_gui.queue.connection import (
    ServerAddress,
    address_from_parts,
    address_from_url,
    check_server,
    connection_options,
    open_client,
)
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server_process import find_binary
from tests.integration.workers import until

Start = Callable[..., ServerAddress]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts plain servers with any options; they end with the test."""
    processes: list[subprocess.Popen[bytes]] = []
    folder = Path(tempfile.mkdtemp(prefix="eth-"))

    def run(*options: str, user: str = "") -> ServerAddress:
        socket = folder / f"{len(processes)}.sock"
        command = [str(find_binary()), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
        processes.append(subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL))
        return address_from_url(f"unix://{user}{socket}")

    yield run
    for process in processes:
        process.terminate()
        process.wait(10)
    shutil.rmtree(folder, ignore_errors=True)


async def _up(address: ServerAddress) -> None:
    socket = Path(address.public.removeprefix("unix://").split("@")[-1])

    async def there() -> bool:
        return socket.exists()

    await until(there, 10)


async def test_a_server_that_may_throw_jobs_away_is_refused(start: Start) -> None:
    address = start("--maxmemory-policy", "allkeys-lru")
    await _up(address)
    with pytest.raises(EvictionPolicyError, match="allkeys-lru") as caught:
        await check_server(address)
    assert "noeviction" in caught.value.hint
    assert not caught.value.retryable


async def test_the_policy_is_known_even_where_config_is_forbidden(start: Start) -> None:
    address = start("--maxmemory-policy", "volatile-ttl", "--rename-command", "CONFIG", "")
    await _up(address)
    with pytest.raises(EvictionPolicyError, match="volatile-ttl"):
        await check_server(address)


async def test_a_wrong_password_is_said_without_saying_it(start: Start) -> None:
    address = start("--requirepass", "right", user=":wrong-secret@")
    await _up(address)
    with pytest.raises(ServerRefusedError, match="refused the user name or password") as caught:
        await check_server(address)
    assert "wrong-secret" not in f"{caught.value}{caught.value.hint}{address!r}{address}"
    assert caught.value.__cause__ is not None
    queue = RenderQueue(address)
    with pytest.raises(ServerRefusedError):
        await queue.is_paused()
    await queue.close_queue()
    right = address_from_url(address.url.replace("wrong-secret", "right"))
    assert (await check_server(right)).policy == "noeviction"


async def test_an_acl_user_that_may_not_do_enough_is_told_what_is_missing(start: Start) -> None:
    address = start("--user", *["limited", "on", ">pw", "~other:*", "+ping", "+info"], user="limited:pw@")
    await _up(address)
    await check_server(address)
    queue = RenderQueue(address)
    with pytest.raises(ServerRefusedError, match="does not let this user"):
        await queue.is_paused()
    await queue.close_queue()


async def test_an_acl_user_with_rights_on_our_keys_alone_can_use_the_queue(start: Start) -> None:
    rights = ("farm", "on", ">p@ss:w/rd", "~bull:*", "+@all", "-@dangerous", "+info")
    address = start("--user", *rights, user="farm:p%40ss%3Aw%2Frd@")
    await _up(address)
    await check_server(address)
    queue = RenderQueue(address)
    assert await queue.waiting_order() == []
    await queue.pause()
    assert await queue.is_paused()
    await queue.close_queue()


async def test_a_server_without_memory_says_so(start: Start) -> None:
    address = start("--maxmemory", "1")
    await _up(address)
    client = open_client(address)
    with pytest.raises(OutOfMemoryError):
        await client.set("one", "more")
    await client.aclose()
    queue = RenderQueue(address)
    with pytest.raises(QueueError, match="no memory left"):
        await queue.pause()
    await queue.close_queue()


async def test_nobody_there() -> None:
    address = address_from_url("redis://:secret@127.0.0.1:1")
    with pytest.raises(ServerUnavailableError, match=r"redis://127\.0\.0\.1:1 does not answer") as caught:
        await check_server(address)
    assert "secret" not in str(caught.value)
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("redis://localhost", "redis://localhost:6379"),
        ("redis://:pw@host:7000/2", "redis://host:7000/2"),
        ("rediss://me:p%40w@host", "rediss://me@host:6379"),
        ("redis://[::1]:7000", "redis://[::1]:7000"),
        ("unix://:pw@/tmp/a%20b.sock", "unix:///tmp/a b.sock"),
    ],
)
def test_addresses_are_shown_without_their_password(url: str, public: str) -> None:
    address = address_from_url(url)
    assert address.public == str(address) == public
    assert "pw" not in repr(address)


@pytest.mark.parametrize(
    "url", ["", "localhost:6379", "http://:pw@host", "redis://:pw@host:port", "redis://", "unix://", "redis://h/x"]
)
def test_addresses_that_are_none_are_refused_without_showing_them(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        address_from_url(url)
    assert "pw" not in str(caught.value)


def test_every_part_of_an_address_reaches_the_connection() -> None:
    address = address_from_parts("host", 7000, "p@ss:/w%", "me", tls=True)
    options = connection_options(address)
    assert (options["host"], options["port"], options["username"]) == ("host", 7000, "me")
    assert options["password"] == "p@ss:/w%"
    assert options["ssl"] is True
    assert "ssl_cert_reqs" not in options  # redis-py's default is to check the certificate
    assert options["socket_timeout"] is None
    assert options is not connection_options(address)
    options = connection_options(address_from_url("rediss://h/3?ssl_ca_certs=/ca.pem"))
    assert (options["db"], options["ssl_ca_certs"]) == (3, "/ca.pem")


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("redis://host:6400/2", "redis://:p%40ss@host:6400/2"),
        ("rediss://ada@host", "rediss://ada:p%40ss@host"),
        ("redis://:own@host", "redis://:own@host"),
        ("unix:///run/a.sock", "unix://:p%40ss@/run/a.sock"),
    ],
)
def test_a_password_beside_the_address_is_used_when_it_has_none_itself(url: str, full: str) -> None:
    assert address_from_url(url, password="p@ss").url == full


def test_so_is_a_user_name() -> None:
    assert address_from_url("redis://host", password="pw", username="a b").url == "redis://a%20b:pw@host"
    assert address_from_url("redis://ada@host", password="pw", username="bob").url == "redis://ada:pw@host"
    assert address_from_url("redis://ada:own@host", password="pw", username="bob").url == "redis://ada:own@host"
