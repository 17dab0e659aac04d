"""Fixtures that every kind of test may use: one real server for the session, and a queue of its own for each test."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import hypothesis
import pytest

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.queue.server import EmbeddedServer

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session")
def qapp() -> "QApplication":
    """The one application of all tests, as the program makes it."""
    from ethereal_gui.app import make_application

    return make_application(["tests"])


@pytest.fixture(scope="session")
def server_address() -> Iterator[ServerAddress]:
    """The embedded server in a folder with a short name, the same for all tests. Nobody flushes it."""
    folder = Path(tempfile.mkdtemp(prefix="eth-"))
    server = EmbeddedServer(folder)
    address = asyncio.run(server.start())
    yield address
    asyncio.run(server.stop())
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def queue_name() -> str:
    """A queue name that no other test has."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
async def queue(server_address: ServerAddress, queue_name: str) -> AsyncIterator[RenderQueue]:
    """A render queue of this test's own on the real server."""
    render_queue = RenderQueue(server_address, queue_name=queue_name)
    yield render_queue
    await render_queue.close_queue()


@pytest.fixture
def songs() -> Callable[[int], list[AudioFile]]:
    """Makes as many audio files as asked for; only their words, no files on the disk."""

    def make(count: int) -> list[AudioFile]:
        return [AudioFile(id=f"a{n:05x}", path=f"/music/{n}.mp3", original_name=f"{n}.mp3") for n in range(count)]

    return make
