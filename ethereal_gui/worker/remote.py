"""Files on servers: what the transfer child needs of them, and the few things in which they differ.

``sftp`` goes by fsspec and sshfs (asyncssh): ``~/.ssh`` has its keys, known hosts and settings. ``smb`` goes by fsspec
and smbprotocol. fsspec's own configuration completes both (``FSSPEC_SFTP_PASSWORD=...``, ``~/.config/fsspec``). ``s3``
goes by obstore, for fsspec's s3fs needs an older python-dateutil than BullMQ does; the usual ``AWS_...`` variables
configure it. The packages are optional, and loaded only by the transfer child.
"""

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Final, Protocol

from ethereal_gui.domain.locations import Url

PACKAGES: Final = {"sftp": "sshfs", "smb": "smbprotocol", "s3": "obstore"}
"""What has to be installed for each kind of server."""

CONNECT_SECONDS: Final = 30
CHUNK: Final = 8 << 20
_S3_ENDPOINTS: Final = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")
_SMB: Final = "fsspec.implementations.smb"
_FSSPEC_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    # sshfs itself would take any host's key; an empty tuple has asyncssh look into ~/.ssh/known_hosts.
    "sftp": {
        "known_hosts": (),
        "connect_timeout": CONNECT_SECONDS,
        "login_timeout": CONNECT_SECONDS,
        "keepalive_interval": 15,
        "keepalive_count_max": 4,
    },
    "smb": {"timeout": CONNECT_SECONDS, "register_session_retries": 0},
}


class Remote(Protocol):
    """The files of one server. Methods raise what the library raises, see ``transfer_child``."""

    def look(self, path: str) -> tuple[int, str]:
        """Bytes of a file, and a text that changes when the file does. Raises IsADirectoryError for a folder."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is something of that name."""
        ...

    def reading(self, path: str, start: int) -> contextlib.AbstractContextManager[IO[bytes]]:
        """The file, from byte ``start`` on."""
        ...

    def make_folder(self, path: str) -> None:
        """Make a folder unless it is there."""
        ...

    def upload(self, local: Path, folder: str, key: str, on_bytes: Callable[[int], None]) -> None:
        """Get a file over, as far as that can be done before it has a name.

        Args:
            key: makes its hidden name. on_bytes: called with the number of bytes written so far.
        """
        ...

    def take_name(self, local: Path, folder: str, key: str, name: str, on_bytes: Callable[[int], None]) -> bool:
        """Have the file appear as ``name``; False when that is taken. Never overwrites."""
        ...

    def is_done(self, folder: str, key: str, name: str, size: int) -> bool:
        """Whether an earlier attempt that chose ``name`` has come to its end."""
        ...


def open_remote(url: Url) -> Remote:
    """The server of a URL, connected where there is such a thing.

    Raises:
        ImportError: what it needs is not installed.
    """
    return ObjectStore(url) if url.scheme == "s3" else FileServer(url)


class FileServer:
    """Files with folders and renaming: ``sftp``, ``smb``. See ``Remote``."""

    def __init__(self, url: Url) -> None:
        from fsspec.config import conf

        # Not by fsspec's registry: without sshfs that would take paramiko, which trusts any host.
        module, name = ("sshfs", "SSHFileSystem") if url.scheme == "sftp" else (_SMB, "SMBFileSystem")
        make = getattr(importlib.import_module(module), name)
        options = {**_FSSPEC_OPTIONS[url.scheme], **conf.get(url.scheme, {})}
        named = {"host": url.host, "port": url.port, "username": url.user}
        options |= {name: value for name, value in named.items() if value is not None}
        self._scheme = url.scheme
        self._files: Any = make(skip_instance_cache=True, **options)

    def look(self, path: str) -> tuple[int, str]:
        """See ``Remote``."""
        info = self._files.info(path)
        if info["type"] == "directory":
            raise IsADirectoryError(path)
        return int(info["size"]), str(info["mtime"])

    def exists(self, path: str) -> bool:
        """See ``Remote``."""
        return bool(self._files.exists(path))

    @contextlib.contextmanager
    def reading(self, path: str, start: int) -> Iterator[IO[bytes]]:
        """See ``Remote``."""
        with self._files.open(path, "rb") as file:
            file.seek(start)
            yield file

    def make_folder(self, path: str) -> None:
        """See ``Remote``."""
        self._files.makedirs(path, exist_ok=True)

    def upload(self, local: Path, folder: str, key: str, on_bytes: Callable[[int], None]) -> None:
        """The whole file under its hidden name."""
        from fsspec.callbacks import Callback

        class Meter(Callback):
            def call(self, hook_name: str | None = None, **kwargs: Any) -> None:  # noqa: ARG002 - fsspec's signature
                on_bytes(int(self.value))

        hidden = _hidden(folder, key)
        if self.exists(hidden):
            self._files.rm_file(hidden)
        self._files.put_file(str(local), hidden, callback=Meter())
        size, arrived = local.stat().st_size, self.look(hidden)[0]
        if arrived != size:
            raise OSError(f"of {size} bytes {arrived} have arrived")

    def take_name(self, local: Path, folder: str, key: str, name: str, on_bytes: Callable[[int], None]) -> bool:  # noqa: ARG002
        """Rename the hidden file."""
        hidden, path = _hidden(folder, key), _below(folder, name)
        if self.exists(path):
            return False
        try:
            self._rename(hidden, path)
        except Exception:
            if self.exists(path) and self.exists(hidden):
                return False  # somebody was faster
            raise
        return True

    def is_done(self, folder: str, key: str, name: str, size: int) -> bool:
        """The hidden file has become the named one."""
        path = _below(folder, name)
        return not self.exists(_hidden(folder, key)) and self.exists(path) and self.look(path)[0] == size

    def _rename(self, path: str, name: str) -> None:
        if self._scheme != "sftp":
            self._files.mv(path, name)  # smbprotocol's rename refuses a name that is taken
            return
        from fsspec.asyn import sync

        async def rename() -> None:
            # fsspec's mv would overwrite: it takes OpenSSH's extension for just that.
            async with self._files.client.start_sftp_client() as client:
                await client.rename(path, name)

        sync(self._files.loop, rename)


class ObjectStore:
    """Objects that appear when they are whole: ``s3``. See ``Remote``."""

    def __init__(self, url: Url) -> None:
        from obstore.store import S3Store

        self._bucket = url.path.partition("/")[0]
        self._store: Any = S3Store(
            self._bucket,
            client_options={
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(minutes=10),
                # Whoever sets such an endpoint means it; without one there is only https.
                "allow_http": any(os.environ.get(name, "").startswith("http://") for name in _S3_ENDPOINTS),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=CONNECT_SECONDS)},
        )

    def look(self, path: str) -> tuple[int, str]:
        """See ``Remote``."""
        meta = self._store.head(self._key(path))
        return int(meta["size"]), str(meta["e_tag"] or meta["last_modified"])

    def exists(self, path: str) -> bool:
        """See ``Remote``."""
        try:
            self.look(path)
        except FileNotFoundError:
            return False
        return True

    @contextlib.contextmanager
    def reading(self, path: str, start: int) -> Iterator[IO[bytes]]:
        """See ``Remote``."""
        import obstore

        file: Any = obstore.open_reader(self._store, self._key(path), buffer_size=CHUNK)
        file.seek(start)
        yield file

    def make_folder(self, path: str) -> None:
        """Folders are only parts of names; but the bucket has to answer."""
        next(iter(self._store.list(self._key(path), chunk_size=1)), None)

    def upload(self, local: Path, folder: str, key: str, on_bytes: Callable[[int], None]) -> None:
        """Nothing: a multipart upload has its name from the beginning."""

    def take_name(self, local: Path, folder: str, key: str, name: str, on_bytes: Callable[[int], None]) -> bool:
        """Reserve the name with a small object, which nobody else can then do, and upload over it."""
        from obstore.exceptions import AlreadyExistsError

        path, note = self._key(_below(folder, name)), f"ethereal {key}".encode()
        try:
            self._store.put(path, note, mode="create")
        except AlreadyExistsError:
            # An attempt of ours that died may have reserved it.
            if self._store.head(path)["size"] != len(note) or bytes(self._store.get(path).bytes()) != note:
                return False

        def chunks() -> Iterator[bytes]:
            done = 0
            with local.open("rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
                    done += len(chunk)
                    on_bytes(done)

        self._store.put(path, chunks(), use_multipart=True, chunk_size=CHUNK)
        size, arrived = local.stat().st_size, self._store.head(path)["size"]
        if arrived != size:
            raise OSError(f"of {size} bytes {arrived} have arrived")
        return True

    def is_done(self, folder: str, key: str, name: str, size: int) -> bool:  # noqa: ARG002
        """The object is there with all its bytes."""
        path = _below(folder, name)
        return self.exists(path) and self.look(path)[0] == size

    def _key(self, path: str) -> str:
        return path.partition("/")[2]


def _below(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _hidden(folder: str, key: str) -> str:
    return _below(folder, f".ethereal-{key}.part.mp4")
