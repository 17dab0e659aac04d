"""The owner of the window's tasks."""

import asyncio
import contextlib

import pytest

from ethereal_gui.ui import tasks


async def test_a_task_that_swallows_the_wish_to_cancel_it_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_CANCEL_AGAIN_SECONDS", 0.05)
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        swallowed.set()
        await asyncio.sleep(60)

    owner = tasks.TaskOwner()
    owner.start(stubborn(), "being stubborn")
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await owner.close()
    assert swallowed.is_set()
