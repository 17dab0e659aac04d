"""The base of everything that travels through Redis: frozen, camelCase in JSON, tolerant of newer writers.

A reader ignores fields that it does not know, so that a newer window and an older worker can share a queue. An
optional addition that is not set is left out of the JSON, so that the documented fields are all that an old
reader ever sees.
"""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """A frozen model whose JSON is camelCase."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
    )

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON values under camelCase names; required fields always, optional ones only when set."""
        dumped = {name: _finite(value) for name, value in self.model_dump(mode="json", by_alias=True).items()}
        required = {field.alias or name for name, field in type(self).model_fields.items() if field.is_required()}
        return {name: _prune(value) for name, value in dumped.items() if value is not None or name in required}


def _finite(value: Any) -> Any:
    """NaN and infinities have no JSON; BullMQ would fail a finished job because of one."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def _prune(value: Any) -> Any:
    """Drop unset optional fields of nested models, where a null carries no meaning."""
    if isinstance(value, dict):
        return {name: _prune(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_prune(item) for item in value]
    return value
