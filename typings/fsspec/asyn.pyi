from collections.abc import Awaitable, Callable
from typing import Any

def sync(loop: Any, func: Callable[..., Awaitable[Any]], *args: Any, timeout: float | None = ...) -> Any: ...
