"""Every bundled template is valid, draws in every projection, fades, moves, and follows the music."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal_gui.domain.errors import TemplateError
from ethereal_gui.domain.formats import FORMATS, Quality, get_format
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.frames.renderer import FrameRenderer, scenes
from tests.unit.render_frames.conftest import TEMPLATES, Draw, bundled, draw
from tests.unit.render_frames.synthetic import make_features, without

NAMES = sorted(path.stem for path in TEMPLATES.glob("*.json"))
LOUD, QUIET = 520, 349  # QUIET: seven frames without a beat


def rgb(renderer: FrameRenderer, n: int) -> NDArray[np.float64]:
    return renderer.draw_rgb(n).astype(np.float64)


def test_there_is_a_template_for_every_scene() -> None:
    assert {bundled(name).scene for name in NAMES} == set(scenes())


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_documented(name: str) -> None:
    template = bundled(name)
    assert template.id == name
    assert len(template.description) > 40
    for parameter in template.parameters:
        assert parameter.label
        assert parameter.description.endswith(".")
        assert parameter.group


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("output_format", "size"), [("1080p", (256, 144)), ("1080p_vertical", (144, 256))])
def test_a_picture_is_rich_and_not_burnt_out(
    make_renderer: Draw, name: str, output_format: str, size: tuple[int, int]
) -> None:
    picture = rgb(make_renderer(name, output_format, size, quality=Quality.STANDARD), LOUD)
    luma = picture @ (0.2126, 0.7152, 0.0722)
    assert np.percentile(luma, 99) > 90
    assert np.percentile(luma, 5) < 40
    assert (luma > 250).mean() < 0.01
    assert picture.std(axis=2).mean() > 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("band", ["bass", "mid", "treble", "beat", "loudness"])
def test_without_a_band_the_picture_is_clearly_different(
    make_renderer: Draw, song: AudioFeatures, name: str, band: str
) -> None:
    whole, less = make_renderer(name), make_renderer(name, features=_without(song, band))
    n = {"beat": 526, "treble": 522}.get(band, LOUD)
    difference = np.abs(rgb(whole, n) - rgb(less, n))
    assert (difference.max(axis=2) > 12).mean() > 0.01, difference.mean()


def _without(song: AudioFeatures, band: str) -> AudioFeatures:
    """The song with one band silenced, in its own feature and in the 32 bands."""
    ranges = {"bass": (0, 8), "mid": (12, 22), "treble": (22, 32)}
    silent = without(song, band)
    if band not in ranges:
        return silent
    bands = song.bands.copy()
    bands[:, slice(*ranges[band])] = 0
    return dataclasses.replace(silent, bands=bands)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bound", ["minimum", "maximum"])
@pytest.mark.parametrize("output_format", ["1080p", "360mono"])
def test_light_is_never_negative(song: AudioFeatures, name: str, bound: str, output_format: str) -> None:
    values = {parameter.name: getattr(parameter, bound) for parameter in bundled(name).parameters}
    template = bundled(name).with_values(values)
    renderer = FrameRenderer(template, get_format(output_format), 30, song, size=(256, 128))
    for n in (40, 300):
        draw(renderer, n)
        assert all(plane.min() >= 0.0 for plane in renderer._rasterizer._planes)
        assert renderer._rasterizer._sprites[:, 3:6].min() >= 0.0


@pytest.mark.parametrize("name", NAMES)
def test_silence_is_calm_but_not_dead(make_renderer: Draw, name: str) -> None:
    silent = make_renderer(name, features=make_features(level=0.0))
    a, b = rgb(silent, 300), rgb(silent, 330)
    assert a.max() > 40
    assert np.abs(a - b).mean() > 0.02
    loud = make_renderer(name)
    assert rgb(loud, LOUD).mean() > a.mean()


@pytest.mark.parametrize("name", NAMES)
def test_it_fades_in_and_out(make_renderer: Draw, name: str) -> None:
    renderer = make_renderer(name)
    first, early, last = (draw(renderer, n)[: renderer.height] for n in (0, 20, 719))
    assert first.max() <= 20
    assert early.max() > 40
    assert last.max() <= 24


@pytest.mark.parametrize("name", NAMES)
def test_nothing_pops_between_frames(make_renderer: Draw, name: str) -> None:
    """Between two frames at a quiet moment no part of the picture jumps; measured on 8 x 8 blocks, above the dither."""
    renderer = make_renderer(name, quality=Quality.STANDARD)
    frames = [draw(renderer, n)[: renderer.height].astype(float) for n in range(QUIET, QUIET + 7)]
    blocks = [frame[:176].reshape(22, 8, 40, 8).mean(axis=(1, 3)) for frame in frames]
    jumps = [np.abs(b - a).max() for a, b in pairwise(blocks)]
    assert max(jumps) < 18


@pytest.mark.parametrize("name", NAMES)
def test_the_sphere_has_no_seam(make_renderer: Draw, name: str) -> None:
    renderer = make_renderer(name, "360mono", (512, 256))
    luma = draw(renderer, LOUD)[:256].astype(float)
    smooth = luma.reshape(32, 8, 512).mean(axis=1)
    across = np.abs(smooth[:, 0] - smooth[:, -1]).mean()
    inside = np.abs(np.diff(smooth, axis=1)).mean()
    assert across < 3 * inside + 1.0
    assert np.ptp(luma[0].reshape(64, 8).mean(axis=1)) < 12  # a pole is one point


@pytest.mark.parametrize("name", NAMES)
def test_size_of_the_picture_does_not_change_it(make_renderer: Draw, name: str) -> None:
    small, large = make_renderer(name, size=(320, 180)), make_renderer(name, size=(640, 360))
    a = rgb(small, LOUD)
    b = rgb(large, LOUD).reshape(180, 2, 320, 2, 3).mean(axis=(1, 3))
    coarse = [p.reshape(18, 10, 32, 10, 3).mean(axis=(1, 3)) for p in (a, b)]
    assert np.abs(coarse[0] - coarse[1]).mean() < 2.5


def test_the_lake_mirrors_the_curtains_at_every_size(make_renderer: Draw) -> None:
    for size in ((256, 128), (1024, 512)):
        luma = draw(make_renderer("aurora", "360mono", size), LOUD)[: size[1]].astype(float) - 16
        rows = luma.reshape(16, size[1] // 16, size[0]).mean(axis=(1, 2))
        above, below = rows[4:7].mean(), rows[9:12].mean()
        assert above > 15
        assert 0.35 * above < below < above, size


def test_parameters_change_the_picture(make_renderer: Draw) -> None:
    base = rgb(make_renderer("flame"), LOUD)
    for values in ({"hue": 0.4}, {"height": 0.6}, {"glow": 0.4}, {"exposure": 0.5}, {"sparks": 0.0}):
        assert np.abs(rgb(make_renderer("flame", **values), LOUD) - base).max() > 25, values


@pytest.mark.parametrize("output_format", FORMATS)
def test_every_format_draws_a_preview(song: AudioFeatures, output_format: str) -> None:
    fmt = get_format(output_format)
    scale = max(fmt.width, fmt.height) / 256
    size = round(fmt.width / scale / 4) * 4, round(fmt.height / scale / 4) * 4
    renderer = FrameRenderer(bundled("flame"), fmt, 30, song, size=size, quality=Quality.DRAFT)
    picture = renderer.draw_rgb(LOUD)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.max() > 150


def test_an_unknown_scene_is_said_plainly(song: AudioFeatures) -> None:
    template = bundled("flame").model_copy(update={"scene": "lava"})
    with pytest.raises(TemplateError, match="lava"):
        FrameRenderer(template, get_format("1080p"), 30, song, size=(64, 36))
    lacking = bundled("flame").model_copy(update={"parameters": bundled("flame").parameters[1:]})
    with pytest.raises(TemplateError, match="lacks"):
        FrameRenderer(lacking, get_format("1080p"), 30, song, size=(64, 36))
