"""The last pass: range, neutral grey, hues that stay hues, and dark gradients without bands."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal_gui.render.frames import tone
from ethereal_gui.render.frames.preview import yuv_to_rgb
from tests.unit.render_frames.light import develop_light

Float32 = NDArray[np.float32]
WIDTH, HEIGHT = 512, 64


def even(r: float, g: float, b: float) -> Float32:
    return np.broadcast_to(np.array([r, g, b], np.float32)[:, None, None], (3, HEIGHT // 2, WIDTH // 2)).copy()


def mean_rgb(light: Float32) -> NDArray[np.float64]:
    return np.asarray(yuv_to_rgb(develop_light(light)).reshape(-1, 3).mean(axis=0))


def test_code_values_stay_in_range() -> None:
    for light in (even(0, 0, 0), even(1e6, 1e6, 1e6), even(1e6, 0, 0), even(0, 0, 1e6), even(0, 50, 0)):
        out = develop_light(light, grain=2.0)
        assert out[:HEIGHT].min() >= 16
        assert out[:HEIGHT].max() <= 235
        assert out[HEIGHT:].min() >= 16
        assert out[HEIGHT:].max() <= 240


def test_black_is_black_and_very_bright_is_white() -> None:
    assert develop_light(even(0, 0, 0))[:HEIGHT].mean() == pytest.approx(16.1, abs=0.2)
    assert develop_light(even(1e5, 1e5, 1e5))[:HEIGHT].mean() == pytest.approx(235, abs=0.2)


@pytest.mark.parametrize("level", [0.003, 0.05, 0.18, 1.0, 20.0])
def test_grey_is_neutral_and_follows_the_curve(level: float) -> None:
    out = develop_light(even(level, level, level))
    assert out[HEIGHT:].mean() == pytest.approx(128, abs=0.12)
    assert out[:HEIGHT].mean() == pytest.approx(16 + 219 * float(tone.curve(np.array(level))), abs=0.25)


def test_the_curve_rises_and_keeps_headroom() -> None:
    x = np.geomspace(1e-5, 1e3, 400)
    y = tone.curve(x)
    assert np.all(np.diff(y) >= 0)
    assert y[0] < 0.01
    assert 0.30 < float(tone.curve(np.array(0.18))) < 0.45
    assert float(tone.curve(np.array(4.0))) < 0.93  # bright fire is not yet white


@pytest.mark.parametrize(
    ("light", "order"),
    [
        ((0.0, 0.0, 1.0), "bgr"),  # blue must not turn magenta: red stays at or below green
        ((0.35, 0.0, 1.0), "brg"),
        ((1.0, 0.25, 0.02), "rgb"),
        ((0.02, 1.0, 0.4), "gbr"),
    ],
)
@pytest.mark.parametrize("exposure", [0.1, 1.0, 8.0, 60.0])
def test_bright_hues_keep_the_order_of_their_channels(
    light: tuple[float, float, float], order: str, exposure: float
) -> None:
    rgb = dict(zip("rgb", mean_rgb(even(*(exposure * v for v in light))), strict=True))
    assert rgb[order[0]] >= rgb[order[1]] - 1.0
    assert rgb[order[1]] >= rgb[order[2]] - 1.0


def test_overexposed_colour_runs_to_white_not_to_a_flat_patch() -> None:
    spread = [float(np.ptp(mean_rgb(even(0.0, 0.1 * e, 1.0 * e)))) for e in (1.0, 10.0, 100.0)]
    assert spread[0] > spread[1] > spread[2]


def test_a_dark_gradient_has_no_bands() -> None:
    """Over a gradient of a few code values the mean of columns rises evenly: dither hides every step."""
    ramp = np.linspace(0.002, 0.006, WIDTH // 2, dtype=np.float32)
    light = np.broadcast_to(ramp, (3, HEIGHT // 2, WIDTH // 2)).copy()
    luma = np.mean([develop_light(light, seed=2 * s)[:HEIGHT] for s in range(8)], axis=0)
    columns = luma.reshape(HEIGHT, 32, WIDTH // 32).mean(axis=(0, 2))
    steps = np.diff(columns)
    assert columns[-1] - columns[0] < 9
    assert len(np.unique(np.round(columns, 1))) >= 28
    assert steps.min() > 0.2 * steps.mean()
    one = develop_light(light)[:HEIGHT]
    runs = np.diff(np.flatnonzero(np.diff(one[10].astype(int)) != 0))
    assert runs.mean() < 4


def test_grain_has_the_strength_that_was_asked_for() -> None:
    out = develop_light(even(0.1, 0.1, 0.1), grain=1.5)[:HEIGHT].astype(float)
    assert out.std() == pytest.approx(np.sqrt(1.5**2 + 1 / 6 + 1 / 12), rel=0.1)
    other = develop_light(even(0.1, 0.1, 0.1), grain=1.5, seed=5)[:HEIGHT]
    assert abs(np.corrcoef(out.ravel(), other.ravel())[0, 1]) < 0.05
