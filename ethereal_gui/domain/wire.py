"""The base of everything that travels through Redis: frozen, camelCase in JSON, tolerant of newer writers.

A reader ignores fields that it does not know, so that a newer window and an older worker can share a queue. An
optional addition that is not set is left out of the JSON, so that the documented fields are all that an old
reader ever sees.

What any program may have written is bounded here: a text's length, that it is text at all (no NUL, and nothing that
cannot be written as UTF-8, as the bytes of some file names cannot), and that numbers are numbers.
"""

import math
import re
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from ethereal_gui.domain.errors import JobDataError

_ID: Final = re.compile(r"[^:\x00-\x1f\x7f]+")


def _plain(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("cannot be written as UTF-8") from None
    return text


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("must not contain a colon or control characters")
    return _plain(text)


Id = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_id)]
"""Of a batch or a file: a part of key names and job ids."""

Word = Annotated[str, StringConstraints(max_length=100), AfterValidator(_plain)]
"""Names a template, a format, a row."""

Label = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_plain)]
"""A file's name, a title, a pattern."""

PathText = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_plain)]
"""A path or address as the submitting machine writes it."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]
"""A length of time; ten million are four months."""

M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], values: object, *, hint: str = "") -> M:
    """``values`` as that model.

    Raises:
        JobDataError: they do not fit; the message names the fields.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part)[:60] for part in item['loc']) or 'data'}: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False)[:5]
        )
        raise JobDataError(f"The job's data is not valid ({faults}).", hint=hint) from error


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
