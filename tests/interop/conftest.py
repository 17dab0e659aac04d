"""A Node program with the real BullMQ and bull-board on the same queue as the test."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from ethereal_gui.queue.connection import ServerAddress, connection_options

_HERE = Path(__file__).parent


class Node:
    """Talks to ``bridge.cjs``: one command, one answer."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def __call__(self, command: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **arguments}).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), 20)
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["ok"]


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Folder with the packages of ``package.json``; installed once and kept in the user's cache."""
    wanted = (_HERE / "package.json").read_bytes()
    folder = platformdirs.user_cache_path("ethereal-tests") / f"interop-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not shutil.which("node") or not shutil.which("npm"):
        return _skip("there is no node or npm on this computer")
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(wanted)
        installed = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if installed.returncode:
            return _skip(f"npm could not install bullmq: {installed.stderr.strip()[-300:]}")
        (folder / "complete").touch()
    return folder / "node_modules"


@pytest.fixture
async def node(node_modules: Path, server_address: ServerAddress, queue_name: str) -> AsyncIterator[Node]:
    """A running Node program on this test's queue."""
    options = connection_options(server_address)
    settings = {"queueName": queue_name, "socket": options["unix_socket_path"], "password": options["password"]}
    process = await asyncio.create_subprocess_exec(
        "node",
        str(_HERE / "bridge.cjs"),
        json.dumps(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "NODE_PATH": str(node_modules)},
        limit=16_000_000,
    )
    yield Node(process)
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()


def _skip(reason: str) -> Path:
    warnings.warn(f"THE INTEROP TESTS DID NOT RUN: {reason}", stacklevel=2)
    pytest.skip(f"THE INTEROP TESTS DID NOT RUN: {reason}")
