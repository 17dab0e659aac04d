"""Dark gradients stay without bands through the encoder: what a viewer sees is what comes out of the file."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal_gui.domain.formats import Quality, get_format
from ethereal_gui.render.video.encoders import av1_setup, software_setup
from ethereal_gui.render.video.segments import SegmentWriter
from tests.unit.render_frames.light import develop_light

WIDTH, HEIGHT, FRAMES = 1024, 512, 16  # a whole GOP and the first picture of the next
COLUMN = 16  # pixels; the eye sees steps between patches of this size, not between single pixels
GRAIN = {Quality.STANDARD: 0.9, Quality.HIGH: 1.4}
# A gradient that was rounded to code values strays 0.19 to 0.26 from its own course here: those are bands.
BANDS = 0.17
NO_BANDS = 0.12


def columns(luma: NDArray[np.uint8] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each column of patches, in code values."""
    return np.asarray(luma.reshape(HEIGHT, WIDTH // COLUMN, COLUMN).mean(axis=(0, 2)))


def stray(luma: NDArray[np.uint8] | NDArray[np.float64], course: NDArray[np.float64]) -> float:
    """How far a picture strays from its gradient, in code values; a shift of the whole picture is no band."""
    return float(np.std(columns(luma) - course))


def through_the_encoder(
    frames: list[NDArray[np.uint8]], format_id: str, quality: Quality, encoder: str, file: Path
) -> list[NDArray[np.float64]]:
    """The luma of the pictures that come out of a segment, in code values of 8 bits."""
    small = replace(get_format(format_id), width=WIDTH, height=HEIGHT)
    setup = av1_setup if encoder == "av1" else software_setup
    writer = SegmentWriter(file, setup(small, 30, quality), len(frames))
    for frame in frames:
        writer.add(frame)
    writer.finish()
    with av.open(str(file)) as container:
        deeper = 4.0 if encoder == "av1" else 1.0
        return [np.asarray(frame.to_ndarray()[:HEIGHT], np.float64) / deeper for frame in container.decode(video=0)]


@pytest.mark.parametrize("quality", [Quality.STANDARD, Quality.HIGH])
@pytest.mark.parametrize(
    ("format_id", "encoder"), [("1080p", "x264"), ("4k", "x264"), ("360stereo_8k", "x265"), ("1080p", "av1")]
)
@pytest.mark.parametrize(("darkest", "brightest"), [(0.0005, 0.004), (0.004, 0.03)])
def test_a_dark_gradient_has_no_bands_in_the_file(
    format_id: str, encoder: str, quality: Quality, darkest: float, brightest: float, tmp_path: Path
) -> None:
    ramp = np.linspace(darkest, brightest, WIDTH // 2, dtype=np.float32)
    light = np.broadcast_to(ramp, (3, HEIGHT // 2, WIDTH // 2)).copy()
    frames = [develop_light(light, GRAIN[quality], seed=2 * n) for n in range(FRAMES)]
    course = np.mean([columns(frame[:HEIGHT]) for frame in frames], axis=0)
    assert 4 < course[-1] - course[0] < 25
    for seen in through_the_encoder(frames, format_id, quality, encoder, tmp_path / "dithered.mp4"):
        assert stray(seen, course) < NO_BANDS

    rounded = frames[0].copy()
    rounded[:HEIGHT] = np.round(np.interp(np.arange(WIDTH), np.arange(8, WIDTH, COLUMN), course))
    rounded[HEIGHT:] = 128
    banded = through_the_encoder([rounded] * FRAMES, format_id, quality, encoder, tmp_path / "rounded.mp4")
    assert stray(banded[0], course) > BANDS
