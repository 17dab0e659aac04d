"""The one decorator of numba.extending that the engine uses."""

from collections.abc import Callable
from typing import Any

def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]: ...
