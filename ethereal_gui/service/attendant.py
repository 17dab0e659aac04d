"""What goes on by itself while the window is open: the hours for rendering, and the watched folder."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.service.watched_folder import SETTLE_SECONDS, WatchedFolder

log = logging.getLogger(__name__)

LEDGER: Final = "watched-folder.json"
_EVERY: Final = 5.0


class Attendant:
    """Looks after the service until it is cancelled.

    Args:
        tell: called with a sentence for the person.
        every, settle_seconds: how often to look, and how long a file has to stand still; shorter ones are for tests.
    """

    def __init__(
        self,
        service: RenderService,
        tell: Callable[[str], None],
        *,
        every: float = _EVERY,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._service = service
        self._tell = tell
        self._every = every
        self._settle = settle_seconds
        self._folder: WatchedFolder | None = None
        self._told = ""

    async def attend(self) -> None:
        """Work without end."""
        while True:
            try:
                await self._service.keep_hours()
                await self._look_into_folder()
                self._told = ""
            except EtherealError as error:
                # The same trouble is told once; a server that is away has its own notice anyway.
                log.warning("attending: %s", error)
                if self._service.server.available and str(error) != self._told:
                    self._told = str(error)
                    self._tell(self._told)
            await asyncio.sleep(self._every)

    async def _look_into_folder(self) -> None:
        wanted = self._service.settings.watch_folder
        if wanted is None:
            self._folder = None
            return
        if self._folder is None or self._folder.folder != wanted:
            ledger = self._service.settings.data_dir / LEDGER
            self._folder = WatchedFolder(wanted, ledger, settle_seconds=self._settle)
        for paths in await asyncio.to_thread(self._folder.look):
            await self._take(self._folder, paths)

    async def _take(self, folder: WatchedFolder, paths: list[Path]) -> None:
        settings = self._service.settings
        result = await self._service.inspect(paths)
        if result.accepted:
            await self._service.submit(
                result.accepted, settings.template, settings.formats, batch_id=folder.batch_id(paths)
            )
        await asyncio.to_thread(folder.taken, paths)
        for skipped in result.skipped[:1]:
            self._tell(skipped.reason)
