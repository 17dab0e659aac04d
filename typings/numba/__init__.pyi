"""The parts of numba that the engine uses, with types: a compiled function keeps its signature."""

from collections.abc import Callable
from typing import Any, TypeVar

_F = TypeVar("_F", bound=Callable[..., Any])

def njit(
    *,
    nogil: bool = ...,
    cache: bool = ...,
    fastmath: bool | set[str] = ...,
    error_model: str = ...,
    forceinline: bool = ...,
) -> Callable[[_F], _F]: ...

class _Config:
    CACHE_DIR: str

config: _Config
types: Any
