"""Templates: bounds hold, damaged files do no harm, the user's own win."""

import json
from pathlib import Path
from typing import Any

import pytest

from ethereal_gui.domain.errors import TemplateError, UnknownTemplateError
from ethereal_gui.domain.template import Template, TemplateLibrary, load_template


def template_json(**more: Any) -> dict[str, Any]:
    return {
        "formatVersion": 1,
        "id": "t",
        "name": "T",
        "version": 1,
        "description": "d",
        "scene": "flame",
        "parameters": [
            {"name": "heat", "label": "Heat", "description": "h", "minimum": 0, "maximum": 2, "default": 1},
        ],
        **more,
    }


def test_values_fall_back_to_defaults() -> None:
    template = Template.model_validate(template_json())
    assert template.value("heat") == 1
    assert template.with_values({"heat": 1.5}).value("heat") == 1.5


@pytest.mark.parametrize(("values", "word"), [({"heat": 3.0}, "between 0 and 2"), ({"cold": 1.0}, "no parameter")])
def test_values_out_of_bounds_are_refused(values: dict[str, float], word: str) -> None:
    with pytest.raises(TemplateError, match=word):
        Template.model_validate(template_json()).with_values(values)


def test_a_default_outside_its_bounds_is_refused(tmp_path: Path) -> None:
    broken = template_json()
    broken["parameters"][0]["default"] = 9
    path = tmp_path / "t.json"
    path.write_text(json.dumps(broken))
    with pytest.raises(TemplateError, match="heat"):
        load_template(path)


def test_the_library_passes_over_damaged_files_and_prefers_the_users_own(tmp_path: Path) -> None:
    bundled, own = tmp_path / "bundled", tmp_path / "own"
    bundled.mkdir()
    own.mkdir()
    (bundled / "t.json").write_text(json.dumps(template_json()))
    (own / "t.json").write_text(json.dumps(template_json(name="Mine")))
    (own / "broken.json").write_text("{")
    library = TemplateLibrary(bundled, own, tmp_path / "missing")
    assert [template.name for template in library.all()] == ["Mine"]
    with pytest.raises(UnknownTemplateError, match="nope"):
        library.get("nope")
