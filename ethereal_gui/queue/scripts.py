"""Our Lua scripts: what BullMQ has no command for, in one step on the server and in BullMQ's own key layout."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import redis.asyncio as aioredis

from ethereal_gui.domain.job import CANCELLED_REASON

_FOLDER: Final = Path(__file__).parent / "lua"


@cache
def _source(name: str) -> str:
    common = (_FOLDER / "common.lua").read_text("utf-8")
    script = (_FOLDER / f"{name}.lua").read_text("utf-8")
    return f'local CANCELLED_REASON = "{CANCELLED_REASON}"\n{common}\n{script}'


class LuaScripts:
    """Calls a script by its file's name with the queue's base as first argument."""

    def __init__(self, client: aioredis.Redis, base: str) -> None:
        self._client = client
        self._base = base

    async def run(self, name: str, *arguments: str | int | float) -> Any:
        """Run ``lua/{name}.lua``; the server keeps the script after the first time."""
        script = self._client.register_script(_source(name))
        return await script(keys=[f"{self._base}meta"], args=[self._base, *arguments])
