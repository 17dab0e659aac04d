"""Every template looks as it did when somebody last looked at it.

A change of the pictures that is meant is made visible by ``python -m tests.unit.render_frames.test_references``, which
draws the references anew: look at them, then commit them.
"""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ethereal_gui.domain.formats import Quality, get_format
from ethereal_gui.render.frames.preview import yuv_to_rgb
from ethereal_gui.render.frames.renderer import FrameRenderer
from tests.unit.render_frames.conftest import bundled, draw
from tests.unit.render_frames.synthetic import make_features

FOLDER = Path(__file__).parent / "references"
FRAME = 300
PICTURES = {
    "flame-1080p": (320, 180),
    "mist-1080p": (320, 180),
    "aurora-1080p": (320, 180),
    "nebula-1080p": (320, 180),
    "pulse-1080p": (320, 180),
    "flame-360stereo": (256, 256),
}
# Libraries' sines may differ in their last bits, and dither turns that into a code value here and there.
LARGEST_DIFFERENCE = 3
CHANGED_PIXELS = 0.01


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_the_one_that_was_looked_at(name: str) -> None:
    drawn = draw_reference(name)
    reference = np.asarray(Image.open(FOLDER / f"{name}.png"))
    difference = np.abs(drawn.astype(np.int16) - reference).max(axis=2)
    if difference.max() > LARGEST_DIFFERENCE or (difference > 0).mean() > CHANGED_PIXELS:
        shown = Path(tempfile.mkdtemp(prefix="ethereal-pictures-")) / f"{name}.png"
        amplified = np.clip(difference[:, :, None].repeat(3, axis=2) * 16, 0, 255).astype(np.uint8)
        Image.fromarray(np.concatenate((reference, drawn, amplified), axis=1)).save(shown)
        pytest.fail(
            f"{name}: up to {difference.max()} code values off, {(difference > 0).mean():.1%} of the pixels changed. "
            f"Reference, drawn, and the difference times 16 are side by side in {shown}"
        )


def draw_reference(name: str) -> NDArray[np.uint8]:
    """The picture as RGB, uint8 (height, width, 3)."""
    template, format_id = name.split("-")
    renderer = FrameRenderer(
        bundled(template),
        get_format(format_id),
        30,
        make_features(),
        quality=Quality.DRAFT,
        threads=1,
        size=PICTURES[name],
    )
    picture = yuv_to_rgb(draw(renderer, FRAME))
    renderer.close()
    return picture


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for wanted in PICTURES:
        Image.fromarray(draw_reference(wanted)).save(FOLDER / f"{wanted}.png", optimize=True)
