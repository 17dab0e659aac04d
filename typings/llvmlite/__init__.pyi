"""The part of llvmlite that the engine uses: instructions for eight lanes."""

from typing import Any

ir: Any
