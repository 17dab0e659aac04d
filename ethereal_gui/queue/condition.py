"""A server that answers may still take no jobs: what it says of itself, as a sentence for people."""

from collections.abc import Mapping
from typing import Any


def condition(label: str, info: Mapping[str, Any]) -> str:
    """Why a server takes nothing new, from its INFO; empty when it does.

    Args:
        label: what a sentence calls the server.
    """
    if info.get("loading"):
        return f"{label} is still loading its data. It will be ready in a moment."
    if info.get("role") == "slave" and info.get("slave_read_only"):
        return f"{label} only allows reading. Use the address of the primary server."
    limit = int(info.get("maxmemory") or 0)
    if limit and int(info.get("used_memory") or 0) - int(info.get("mem_not_counted_for_evict") or 0) > limit:
        return f"{label} has no memory left for another job. Raise its maxmemory, then it goes on by itself."
    if info.get("aof_enabled") and info.get("aof_last_write_status", "ok") != "ok":
        return f"{label} cannot write its data to disk. Check the space on its disk."
    return ""
