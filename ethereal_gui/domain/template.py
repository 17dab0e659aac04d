"""A visual template: a scene of the engine with named, bounded parameters. Templates are versioned JSON files."""

import json
import re
import unicodedata
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from ethereal_gui.domain.errors import TemplateError, UnknownTemplateError
from ethereal_gui.domain.private import write_private
from ethereal_gui.domain.wire import WireModel

TEMPLATE_FORMAT_VERSION = 1


class TemplateParameter(WireModel):
    """One slider of a template.

    Attributes:
        name: key in the template's values, snake_case.
        label, description: what the window shows.
        minimum, maximum, default, step: bounds in the parameter's unit.
        unit: shown behind the number, may be empty.
        group: heading under which sliders stand together.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    description: str
    minimum: float
    maximum: float
    default: float
    step: float = 0.01
    unit: str = ""
    group: str = ""

    @model_validator(mode="after")
    def _bounds(self) -> "TemplateParameter":
        if not self.minimum <= self.default <= self.maximum or self.minimum >= self.maximum:
            raise ValueError(f"default of {self.name} is outside its bounds")
        return self


class Template(WireModel):
    """A template as it stands in its file, or with the user's values laid over it.

    Attributes:
        id: file name without ``.json``; what a job carries.
        scene: which scene of the engine draws it.
        values: parameters that differ from their defaults.
    """

    format_version: Literal[1] = 1
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    name: str
    version: int
    description: str
    scene: str
    parameters: tuple[TemplateParameter, ...]
    values: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_values(self) -> "Template":
        self._check(self.values)
        return self

    def value(self, name: str) -> float:
        """The value of a parameter: the template's own, else the default."""
        if name in self.values:
            return self.values[name]
        return self.parameter(name).default

    def parameter(self, name: str) -> TemplateParameter:
        """The parameter of that name.

        Raises:
            TemplateError: the template has no such parameter.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise TemplateError(f"Template “{self.name}” has no parameter “{name}”.")

    def with_values(self, values: Mapping[str, float]) -> "Template":
        """This template with the given values laid over its own.

        Raises:
            TemplateError: an unknown name, or a value outside its bounds.
        """
        try:
            self._check(values)
        except ValueError as error:
            raise TemplateError(str(error)) from error
        return self.model_copy(update={"values": {**self.values, **values}})

    def _check(self, values: Mapping[str, float]) -> None:
        by_name = {parameter.name: parameter for parameter in self.parameters}
        for name, value in values.items():
            if name not in by_name:
                raise ValueError(f"Template “{self.name}” has no parameter “{name}”.")
            parameter = by_name[name]
            if not parameter.minimum <= value <= parameter.maximum:
                raise ValueError(
                    f"{parameter.label} of template “{self.name}” must be between "
                    f"{parameter.minimum:g} and {parameter.maximum:g}, not {value:g}."
                )


def load_template(path: Path) -> Template:
    """Read one template file.

    Raises:
        TemplateError: it cannot be read or is not a valid template.
    """
    try:
        return Template.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, json.JSONDecodeError) as error:
        raise TemplateError(f"“{path.name}” is not a valid template: {error}") from error


class TemplateLibrary:
    """The templates that came with the program and the user's own, which win over those of the same id."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders

    def all(self) -> list[Template]:
        """Every valid template, bundled ones first, in order of their names. Damaged files are left out."""
        found: dict[str, Template] = {}
        for folder in self._folders:
            for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
                try:
                    template = load_template(path)
                except TemplateError:
                    continue
                found[template.id] = template
        return list(found.values())

    def get(self, template_id: str) -> Template:
        """The template of that id.

        Raises:
            UnknownTemplateError: there is none.
        """
        templates = {template.id: template for template in self.all()}
        if template_id not in templates:
            raise UnknownTemplateError(
                f"There is no template “{template_id}”.", hint=f"Choose from: {', '.join(templates)}."
            )
        return templates[template_id]

    def is_own(self, template_id: str) -> bool:
        """That template is the user's own and can be overwritten and deleted."""
        return bool(self._folders) and (self._folders[-1] / f"{template_id}.json").is_file()

    def save(self, template: Template) -> None:
        """Write one of the user's own templates; one of the same id is replaced.

        Raises:
            TemplateError: the folder cannot be written.
        """
        words = template.model_dump_json(by_alias=True, indent=2) + "\n"
        try:
            write_private(self._folders[-1] / f"{template.id}.json", words)
        except OSError as error:
            raise TemplateError(f"The template could not be saved: {error.strerror}.") from error

    def delete(self, template_id: str) -> None:
        """Delete one of the user's own templates; a bundled one of the same id is seen again."""
        if self.is_own(template_id):
            (self._folders[-1] / f"{template_id}.json").unlink()

    def free_id(self, name: str) -> str:
        """An id made from ``name`` that no template has yet."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48] or "template"
        taken = {template.id for template in self.all()}
        return next(wanted for n in count(1) if (wanted := base if n == 1 else f"{base}-{n}") not in taken)
