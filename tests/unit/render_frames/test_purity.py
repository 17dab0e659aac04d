"""A frame is a pure function of template, features and number: any order, any number of threads."""

import numpy as np
import pytest

from ethereal_gui.domain.formats import Quality
from ethereal_gui.render.scene import base
from ethereal_gui.render.scene.catalog import SCENES
from tests.unit.render_frames.conftest import Draw, draw

SIZES = {"1080p": (320, 180), "360stereo": (256, 256)}


@pytest.mark.parametrize(("name", "output_format"), [("flame", "1080p"), ("flame", "360stereo"), ("aurora", "1080p")])
def test_a_frame_alone_equals_the_frame_in_a_sequence(make_renderer: Draw, name: str, output_format: str) -> None:
    size = SIZES[output_format]
    sequence = make_renderer(name, output_format, size)
    frames = [draw(sequence, n) for n in range(100, 106)]
    for n in (105, 101, 103):
        alone = make_renderer(name, output_format, size)
        assert np.array_equal(draw(alone, n), frames[n - 100])
    assert np.array_equal(draw(sequence, 102), frames[2])
    assert not np.array_equal(frames[0], frames[5])


@pytest.mark.parametrize("output_format", SIZES)
@pytest.mark.parametrize("threads", [2, 5])
def test_the_number_of_threads_does_not_show(make_renderer: Draw, output_format: str, threads: int) -> None:
    size = SIZES[output_format]
    one = make_renderer("flame", output_format, size, quality=Quality.HIGH)
    many = make_renderer("flame", output_format, size, threads=threads, quality=Quality.HIGH)
    for n in (77, 400):
        assert np.array_equal(draw(one, n), draw(many, n))
    many.close()


@pytest.mark.parametrize("name", SCENES)
def test_where_layers_are_cut_into_pieces_does_not_show(
    make_renderer: Draw, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    whole = make_renderer(name)
    monkeypatch.setattr(base, "CHUNK", 229)
    pieces = make_renderer(name)
    assert np.array_equal(draw(whole, 300), draw(pieces, 300))


def test_the_buffer_is_written_completely_and_checked(make_renderer: Draw) -> None:
    renderer = make_renderer()
    a = np.zeros((270, 320), np.uint8)
    b = np.full((270, 320), 255, np.uint8)
    renderer.draw_yuv(50, a)
    renderer.draw_yuv(50, b)
    assert np.array_equal(a, b)
    with pytest.raises(ValueError, match="buffer"):
        renderer.draw_yuv(50, np.zeros((270, 640), np.uint8)[:, ::2])
    with pytest.raises(ValueError, match="even"):
        make_renderer(size=(321, 180))
