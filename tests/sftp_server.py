"""A real SFTP server on the loopback address, as a process of its own that a test may kill.

    python -m tests.sftp_server FOLDER PORT HOST_KEY [AUTHORIZED_KEYS] [--stall-after BYTES]

Users see FOLDER as ``/``. ``--stall-after`` lets a file be read up to that byte and no further, so that a transfer is
in its middle for as long as a test wants. User ``ada`` may also come with the password in ``SFTP_PASSWORD``. Prints the
port and, for each first read of an opened file, ``read OFFSET NAME``.
"""

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class SftpServer:
    """A running server.

    Attributes:
        folder: what its users see. port: on 127.0.0.1. host_key: public key, as known_hosts has it.
    """

    folder: Path
    port: int
    process: "subprocess.Popen[str]"

    def url(self, path: str, user: str = "ada") -> str:
        """The URL of a file or folder."""
        return f"sftp://{user}@127.0.0.1:{self.port}/{path}"

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


@dataclass
class SftpKeys:
    """Keys of a server and of its user, in a home folder as ``~/.ssh`` has them.

    Attributes:
        home: folder whose ``.ssh`` has the user's key and, once a port is known, the host's.
    """

    home: Path
    host_key: Path
    authorized: Path

    def trust(self, port: int) -> None:
        """Take the host's key into known_hosts."""
        public = self.host_key.with_suffix(".pub").read_text()
        with (self.home / ".ssh" / "known_hosts").open("a") as file:
            file.write(f"[127.0.0.1]:{port} {public}")


def make_keys(folder: Path, home: Path) -> SftpKeys:
    """Keys of a host, below ``folder``, and of its user, whose home folder is given."""
    ssh = home / ".ssh"
    ssh.mkdir(parents=True, mode=0o700)
    host, user = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    host_key = folder / "host_key"
    host.write_private_key(str(host_key))
    host.write_public_key(str(host_key.with_suffix(".pub")))
    user.write_private_key(str(ssh / "id_ed25519"))
    authorized = folder / "authorized_keys"
    user.write_public_key(str(authorized))
    return SftpKeys(home, host_key, authorized)


@contextmanager
def serving(
    folder: Path, keys: SftpKeys, *, port: int = 0, password: str | None = None, stall_after: int | None = None
) -> Iterator[SftpServer]:
    """A server on a free port, gone on the way out."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [str(folder), str(port), str(keys.host_key), str(keys.authorized)]
    if stall_after is not None:
        arguments += ["--stall-after", str(stall_after)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sftp_server", *arguments],
        cwd=ROOT,
        env={**os.environ, **({"SFTP_PASSWORD": password} if password else {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield SftpServer(folder, int(process.stdout.readline()), process)
    finally:
        process.kill()
        process.communicate()


class _Login(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return "SFTP_PASSWORD" in os.environ

    def validate_password(self, username: str, password: str) -> bool:
        return username == "ada" and password == os.environ["SFTP_PASSWORD"]


def _files(folder: str, stall_after: int | None) -> type[asyncssh.SFTPServer]:
    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: Any) -> None:
            super().__init__(channel, chroot=folder.encode())
            self._seen: set[int] = set()

        async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
            if id(file_obj) not in self._seen:
                self._seen.add(id(file_obj))
                print("read", offset, os.path.basename(os.fsdecode(file_obj.name)), flush=True)  # noqa: PTH119
            if stall_after is not None:
                if offset >= stall_after:
                    await asyncio.Event().wait()
                size = min(size, stall_after - offset)
            found = super().read(file_obj, offset, size)
            assert isinstance(found, bytes)
            return found

    return Files


async def _serve(options: argparse.Namespace) -> None:
    server = await asyncssh.listen(
        "127.0.0.1",
        options.port,
        server_factory=_Login,
        server_host_keys=[options.host_key],
        authorized_client_keys=options.authorized_keys,
        sftp_factory=_files(options.folder, options.stall_after),
    )
    print(server.get_port(), flush=True)
    await server.wait_closed()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("port", type=int)
    parser.add_argument("host_key")
    parser.add_argument("authorized_keys", nargs="?")
    parser.add_argument("--stall-after", type=int)
    asyncio.run(_serve(parser.parse_args()))
