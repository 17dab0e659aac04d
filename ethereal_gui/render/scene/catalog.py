"""Which scenes there are. A scene's module is imported only when it is drawn, so that only its kernels are loaded."""

import importlib
from typing import Any, Final

from ethereal_gui.domain.errors import TemplateError
from ethereal_gui.domain.template import Template
from ethereal_gui.render.scene.base import SceneModel
from ethereal_gui.render.scene.camera import Layout

SCENES: Final = ("flame", "mist", "aurora", "nebula", "pulse")


def build_scene(template: Template, layout: Layout, density: float) -> SceneModel:
    """The scene of a template.

    Raises:
        TemplateError: there is no such scene, or the template lacks one of its parameters.
    """
    if template.scene not in SCENES:
        raise TemplateError(
            f"Template “{template.name}” asks for the scene “{template.scene}”, which does not exist.",
            hint=f"Choose from: {', '.join(SCENES)}.",
        )
    module: Any = importlib.import_module(f"ethereal_gui.render.scene.{template.scene}")
    values = {parameter.name: template.value(parameter.name) for parameter in template.parameters}
    try:
        model: SceneModel = module.build(values, layout, density)
    except KeyError as error:
        raise TemplateError(f"Template “{template.name}” lacks the parameter “{error.args[0]}”.") from error
    return model
