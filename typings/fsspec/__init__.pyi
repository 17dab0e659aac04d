"""The part of fsspec that this program uses."""

from typing import Any

def filesystem(protocol: str, **storage_options: Any) -> Any: ...
