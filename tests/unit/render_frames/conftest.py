"""Templates, features and a small renderer for the tests of pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ethereal_gui.domain.formats import Quality, get_format
from ethereal_gui.domain.template import Template, load_template
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.frames.renderer import FrameRenderer
from tests.unit.render_frames.synthetic import make_features

TEMPLATES = Path(__file__).parents[3] / "resources" / "templates"

Draw = Callable[..., FrameRenderer]


@pytest.fixture(scope="session")
def song() -> AudioFeatures:
    return make_features()


@pytest.fixture(scope="session")
def make_renderer(song: AudioFeatures) -> Draw:
    """A renderer of a bundled template at a small size."""

    def make(
        name: str = "flame",
        output_format: str = "1080p",
        size: tuple[int, int] = (320, 180),
        features: AudioFeatures | None = None,
        threads: int = 1,
        quality: Quality = Quality.DRAFT,
        **values: float,
    ) -> FrameRenderer:
        template = bundled(name).with_values(values)
        return FrameRenderer(
            template,
            get_format(output_format),
            30,
            song if features is None else features,
            quality=quality,
            threads=threads,
            size=size,
        )

    return make


def bundled(name: str) -> Template:
    return load_template(TEMPLATES / f"{name}.json")


def draw(renderer: FrameRenderer, n: int) -> np.ndarray:
    """Frame ``n`` as I420."""
    out = np.empty((renderer.height * 3 // 2, renderer.width), np.uint8)
    renderer.draw_yuv(n, out)
    return out
