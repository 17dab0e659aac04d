"""From a server's address to connections, and from the driver's errors to ours.

redis-py gives every socket five seconds to answer, while BullMQ blocks for five to ten: events get lost and jobs
start late. So every connection made here says for itself how long it waits and how often it tries again.
"""

import asyncio
import os
import re
import shlex
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ethereal_gui.domain.errors import (
    EvictionPolicyError,
    QueueError,
    ServerRefusedError,
    ServerUnavailableError,
    SettingsError,
)

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 15.0
POLICY: Final = "noeviction"
OLDEST_VERSION: Final = (6, 2)  # ZMSCORE and LPOS, which BullMQ recommends too
_SCHEMES: Final = {"redis": False, "rediss": True}
_TLS_OPTIONS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the queue's server is and how to be let in.

    Attributes:
        url: ``redis://``, ``rediss://`` or ``unix://`` with user name and password where it needs them.
        embedded: it is the server that this program starts itself.
    """

    url: str = field(repr=False)
    embedded: bool = False

    @property
    def public(self) -> str:
        """The address without its password: for screens and logs."""
        parts = urlsplit(self.url)
        user = f"{parts.username}@" if parts.username else ""
        if parts.scheme == "unix":
            return f"unix://{user}{unquote(parts.path)}"
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or "localhost"
        database = parts.path if parts.path.strip("/") not in ("", "0") else ""
        return f"{parts.scheme}://{user}{host}:{parts.port or 6379}{database}"

    @property
    def label(self) -> str:
        """How a sentence calls the server."""
        return "The built-in server" if self.embedded else f"The Redis server {self.public}"

    def __str__(self) -> str:
        return self.public

    def __repr__(self) -> str:
        return f"ServerAddress({self.public!r}, embedded={self.embedded})"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server said of itself.

    Attributes:
        product: ``redis`` or ``valkey``.
        version: the version whose commands it understands.
        policy: its maxmemory-policy.
        persistent: it keeps an append-only file; None when it does not say.
    """

    product: str
    version: str
    policy: str
    persistent: bool | None


def address_from_url(
    url: str, *, password: str | None = None, username: str | None = None, embedded: bool = False
) -> ServerAddress:
    """Check a URL. ``password`` is used when the URL has none itself, as docker-compose.yml and .env share one;
    ``username`` with it, when the URL names nobody.

    Raises:
        SettingsError: it is not an address of a Redis server. The message never repeats the URL, which has a password.
    """
    hint = "Write it as redis://host:port, rediss://host:port or unix:///path."
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise SettingsError("The server's address has no valid port.", hint=hint) from error
    if parts.scheme not in (*_SCHEMES, "unix"):
        raise SettingsError(f"The server's address begins with “{parts.scheme or 'nothing'}”.", hint=hint)
    if parts.scheme == "unix" and not parts.path.strip("/"):
        raise SettingsError("The server's address names no socket.", hint=hint)
    if parts.scheme != "unix" and not parts.hostname and port is None:
        raise SettingsError("The server's address names no host.", hint=hint)
    if parts.scheme != "unix" and not re.fullmatch(r"/?\d*", parts.path):
        raise SettingsError("The server's address has a database that is not a number.", hint=hint)
    if password and parts.password is None:
        host = parts.netloc.rpartition("@")[2]
        user = parts.username or quote(username or "", safe="")
        url = parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()
    return ServerAddress(url.strip(), embedded)


def address_from_parts(
    host: str, port: int = 6379, password: str | None = None, username: str | None = None, tls: bool = False
) -> ServerAddress:
    """The address of a server given piece by piece."""
    secret = f":{quote(password, safe='')}" if password else ""
    user = quote(username or "", safe="")
    at = f"{user}{secret}@" if user or secret else ""
    name = f"[{host}]" if ":" in host else host
    return address_from_url(f"{'rediss' if tls else 'redis'}://{at}{name}:{port}")


def connection_options(address: ServerAddress) -> dict[str, Any]:
    """A fresh dictionary of redis-py keyword arguments without any limit on the answer's time.

    BullMQ's own objects take it as their ``connection``; each has to have its own.
    """
    parts = urlsplit(address.url)
    options: dict[str, Any] = {
        "socket_timeout": None,
        "socket_connect_timeout": CONNECT_SECONDS,
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
    }
    if parts.scheme == "unix":
        query = parse_qs(parts.query)
        return {
            **options,
            "unix_socket_path": unquote(parts.path, errors="surrogateescape"),
            "db": int(query.get("db", ["0"])[0]),
        }
    tcp: dict[str, Any] = {
        "host": parts.hostname or "localhost",
        "port": parts.port or 6379,
        "db": int(parts.path.strip("/") or 0),
        "socket_keepalive": True,
        "health_check_interval": 30,
    }
    options.update(tcp)
    if _SCHEMES[parts.scheme]:
        query = parse_qs(parts.query)
        options["ssl"] = True
        options.update({name: query[name][0] for name in _TLS_OPTIONS if name in query})
    return options


def redis_cli_command(address: ServerAddress) -> str:
    """A line for a shell that opens redis-cli on a server; it asks for the password, which is not on the line."""
    options = connection_options(address)
    if "unix_socket_path" in options:
        words = ["redis-cli", "-s", options["unix_socket_path"]]
    else:
        words = ["redis-cli", "-h", options["host"], "-p", str(options["port"])]
    if options["db"]:
        words += ["-n", str(options["db"])]
    if options.get("ssl"):
        words.append("--tls")
    flags = {"ssl_ca_certs": "--cacert", "ssl_certfile": "--cert", "ssl_keyfile": "--key", "username": "--user"}
    for name, flag in flags.items():
        words += [flag, options[name]] if options.get(name) else []
    return shlex.join([*words, *(["--askpass"] if options["password"] else [])])


def open_client(
    address: ServerAddress, *, answer_seconds: float | None = ANSWER_SECONDS, retries: int = 5
) -> aioredis.Redis:
    """A pooled client for everything that does not block.

    A lost connection is tried again for about three seconds, which a restart of the embedded server takes at most.
    A time-out is not: the server may have done the work. Foreign bytes that are not UTF-8 come out escaped.
    """
    options = connection_options(address)
    options["socket_timeout"] = answer_seconds
    backoff = ExponentialBackoff(cap=1.0, base=0.1)
    return aioredis.Redis(
        **options,
        decode_responses=True,
        encoding_errors="backslashreplace",
        retry=Retry(backoff, retries, supported_errors=(RedisConnectionError,)),
    )


def worker_client(address: ServerAddress) -> aioredis.Redis:
    """A client for a BullMQ ``Worker``: outlives a server that is away for any time (no limit on retries).

    Pass it as the worker's ``connection``. The worker closes it; whoever stops a worker while the server is away has
    to give that its own time limit.
    """
    return aioredis.Redis(
        **connection_options(address),
        decode_responses=True,
        encoding_errors="backslashreplace",
        retry=Retry(ExponentialBackoff(cap=2.0, base=0.1), -1, supported_errors=(RedisConnectionError,)),
    )


@contextmanager
def server_errors(address: ServerAddress) -> Iterator[None]:
    """Turn what the driver raises into errors for people; the driver's own stays as ``__cause__``."""
    try:
        yield
    except (RedisError, OSError) as error:  # TimeoutError is an OSError
        raise explained(address, error) from error


def explained(address: ServerAddress, error: RedisError | OSError) -> QueueError:
    """The error for people that an error of the driver or the system means."""
    label = address.label
    if isinstance(error, OSError):  # TimeoutError is one
        return ServerUnavailableError(f"{label} does not answer: {_text(error)}.")
    if _has(error, AuthenticationError, AuthorizationError) or "already authenticated" in str(error):
        return ServerRefusedError(
            f"{label} refused the user name or password.", hint="Check REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD."
        )
    if isinstance(error, NoPermissionError):
        return ServerRefusedError(
            f"{label} does not let this user do that: {_text(error)}.",
            hint="Its ACL has to allow all commands on the keys bull:*.",
        )
    if _has(error, BusyLoadingError):
        return ServerUnavailableError(f"{label} is still loading its data.", hint="It will be ready in a moment.")
    if _has(error, ssl.SSLError):
        return ServerRefusedError(
            f"{label} could not be trusted: {_why_untrusted(error)}.",
            hint="Check its certificate, or name its authority's in the address (?ssl_ca_certs=FILE).",
        )
    if address.url.startswith("rediss:") and _has(error, FileNotFoundError, IsADirectoryError, PermissionError):
        return ServerRefusedError(
            f"{label} was not asked: a certificate that its address names cannot be read.",
            hint="Check the paths ssl_ca_certs, ssl_certfile and ssl_keyfile in REDIS_URL.",
        )
    if isinstance(error, RedisConnectionError | RedisTimeoutError):
        return ServerUnavailableError(f"{label} does not answer ({_why(error)}).")
    if isinstance(error, OutOfMemoryError) or "OOM" in str(error):
        return QueueError(f"{label} has no memory left for another job.", hint="Raise its maxmemory, then try again.")
    if isinstance(error, ReadOnlyError) or "READONLY" in str(error):
        return QueueError(f"{label} only allows reading.", hint="Use the address of the primary server.")
    if "MISCONF" in str(error):
        return QueueError(f"{label} cannot write its data to disk.", hint="Check the space on its disk.")
    return QueueError(f"{label} answered with an error: {_text(error)}.")


def sentence(address: ServerAddress, error: BaseException) -> str:
    """Any error as a sentence for people."""
    return str(explained(address, error)) if isinstance(error, RedisError | OSError) else str(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it came from: the driver wraps what happens while it connects."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _has(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Whether an error or one that it came from is of a kind."""
    return any(isinstance(cause, kinds) for cause in _causes(error))


def _why(error: BaseException) -> str:
    """The operating system's own words, found below what asyncio and the driver wrapped around them."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "there is no machine of that name"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
    return _text(error)


def _why_untrusted(error: BaseException) -> str:
    """What OpenSSL has against a certificate, without its numbers and source lines."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message.rstrip(".")
    return _text(error)


def _text(error: BaseException) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return "it took too long"
    return str(error).strip().rstrip(".") or type(error).__name__


async def check_server(address: ServerAddress) -> ServerFacts:
    """Ask a server whether jobs are safe with it.

    Raises:
        ServerUnavailableError: it does not answer.
        ServerRefusedError: wrong password, missing rights, bad certificate, or too old.
        EvictionPolicyError: it may throw jobs away when its memory is full.
    """
    client = open_client(address, answer_seconds=CONNECT_SECONDS, retries=1)
    try:
        with server_errors(address):
            async with asyncio.timeout(3 * CONNECT_SECONDS):
                await client.ping()
                info = await client.info("everything")
                policy = str(info.get("maxmemory_policy") or await _configured(client, "maxmemory-policy") or "")
    finally:
        await client.aclose()
    version = str(info.get("redis_version", "0"))
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST_VERSION:
        raise ServerRefusedError(
            f"{address.label} is version {version}, which is too old.", hint="Redis 6.2 or newer, or Valkey, is needed."
        )
    if policy and policy != POLICY:
        raise EvictionPolicyError(
            f"{address.label} may throw jobs away when its memory is full: its maxmemory-policy is “{policy}”."
        )
    persistent = info.get("aof_enabled")
    return ServerFacts(
        product=str(info.get("server_name", "redis")),
        version=version,
        policy=policy,
        persistent=None if persistent is None else bool(persistent),
    )


async def _configured(client: aioredis.Redis, name: str) -> str | None:
    """One setting of the server, or None where CONFIG is not allowed (as on many hosted servers)."""
    try:
        values: Any = await client.config_get(name)
    except ResponseError:
        return None
    return str(values.get(name) or "")
