"""A particle at a known place lands on the known pixel: flat, sphere, both eyes, seam and poles."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal_gui.domain.formats import Projection
from ethereal_gui.render.frames import pyramid
from ethereal_gui.render.frames.project import HALF_IPD, project
from ethereal_gui.render.frames.splat import count_bands, list_bands, splat_band, splat_level
from ethereal_gui.render.scene.camera import Layout, make_layout, make_view
from ethereal_gui.render.scene.timeline import MOMENT_SIZE

Float32 = NDArray[np.float32]


def sum_of_light(particles: Float32, layout: Layout, eye: int = 0) -> NDArray[np.float64]:
    """The picture of particles in linear light without bloom and sky, (3, height, width)."""
    levels = pyramid.plan_levels(layout.width, layout.height, wraps=layout.immersive)
    view = make_view(layout, np.zeros(MOMENT_SIZE), eye, len(levels), 0.0, 0.0, False)
    n = len(particles)
    sprites, meta = np.zeros((2 * n, 8), np.float32), np.zeros((2 * n, 3), np.int32)
    project(particles, view, 1.0, 5.0, 0.0, 1.0, 0, n, n, sprites, meta)
    first = np.array([level.first_band for level in levels], np.int32)
    bands = levels[-1].first_band + levels[-1].bands
    starts, fill = np.zeros(bands + 1, np.int32), np.zeros(bands, np.int32)
    lists = np.zeros(max(1, count_bands(meta, first, starts)), np.int32)
    list_bands(meta, first, starts, fill, lists)
    planes = [pyramid.new_plane(level) for level in levels]
    for index, (level, plane) in enumerate(zip(levels, planes, strict=True)):
        height = layout.height / 2**index
        splat_level(sprites, lists, starts, level.first_band, 0, level.bands, height, level.height, plane)
        pyramid.close_borders(plane, layout.immersive, True)
    for index in range(len(levels) - 1, 0, -1):
        pyramid.add_up(planes[index], planes[index - 1], 0, levels[index - 1].height)
        pyramid.close_borders(planes[index - 1], layout.immersive, False)
    return planes[0][:, 1:-1, 8:-8].astype(np.float64)


def particle(x: float, y: float, z: float, sigma: float = 0.004, light: float = 1.0) -> Float32:
    return np.array([[x, y, z, sigma, light, light, light, 0.0]], np.float32)


def centre(picture: NDArray[np.float64]) -> tuple[float, float]:
    """Centre of light in pixels, wrapped round the picture's sides."""
    light = picture.sum(axis=0)
    height, width = light.shape
    turn = np.exp(2j * np.pi * (np.arange(width) + 0.5) / width)
    x = float(np.angle((light.sum(axis=0) * turn).sum()) / (2 * np.pi) * width) % width
    return x, float((light.sum(axis=1) * (np.arange(height) + 0.5)).sum() / light.sum())


SPHERE = make_layout(512, 256, Projection.EQUIRECTANGULAR)
FLAT = make_layout(480, 270, Projection.PERSPECTIVE)


@pytest.mark.parametrize("sigma", [0.001, 0.006, 0.05])
def test_flat(sigma: float) -> None:
    x, y, z = 0.31, -0.22, -3.1
    # make_view moves a little nearer on bass and swell, none of which there is in a moment of zeros.
    picture = sum_of_light(particle(x, y, z, sigma), FLAT)
    expected = 240 + FLAT.focal * x / -z, 135 - FLAT.focal * y / -z
    assert centre(picture) == pytest.approx(expected, abs=0.08 + 0.02 * sigma * FLAT.focal)


@pytest.mark.parametrize("eye", [-1, 0, 1])
@pytest.mark.parametrize("place", [(0.4, 0.3, -2.0), (-1.5, -0.9, 0.8), (2.0, 0.1, 0.3)])
def test_sphere_and_both_eyes(eye: int, place: tuple[float, float, float]) -> None:
    x, y, z = place
    r, theta = math.hypot(x, z), math.atan2(x, -z)
    elevation = math.atan2(y, r)
    if eye:
        theta += -eye * math.asin(HALF_IPD / r)
        elevation = math.atan2(y, math.sqrt(r * r - HALF_IPD**2))
    picture = sum_of_light(particle(x, y, z, 0.02), SPHERE, eye)
    expected = (theta / (2 * math.pi) + 0.5) * 512, (0.5 - elevation / math.pi) * 256
    assert centre(picture) == pytest.approx(expected, abs=0.15)


def test_the_left_eye_sees_near_things_farther_right_and_the_sky_without_disparity() -> None:
    near = [centre(sum_of_light(particle(0, 0, -1.0, 0.02), SPHERE, eye))[0] for eye in (-1, 1)]
    far = [centre(sum_of_light(particle(0, 0, -1000.0, 10.0), SPHERE, eye))[0] for eye in (-1, 1)]
    assert near[0] - near[1] == pytest.approx(2 * math.asin(HALF_IPD) / (2 * math.pi) * 512, abs=0.15)
    assert far[0] == pytest.approx(far[1], abs=0.01)


def test_the_eyes_meet_over_the_pole() -> None:
    place = particle(0.05, 2.0, -0.05, 0.05)
    left, right = (sum_of_light(place, SPHERE, eye) for eye in (-1, 1))
    assert np.allclose(left, right, atol=1e-4)


@pytest.mark.parametrize("sigma", [0.004, 0.03, 0.25])
@pytest.mark.parametrize("y", [0.0, 1.2, 4.0])
def test_the_seam_does_not_show(sigma: float, y: float) -> None:
    """A sprite on the seam is the sprite ahead, turned by half a revolution."""
    seam = sum_of_light(particle(1e-6, y, 2.0, sigma), SPHERE)
    ahead = sum_of_light(particle(0.0, y, -2.0, sigma), SPHERE)
    assert np.allclose(seam, np.roll(ahead, 256, axis=2), atol=2e-4 * ahead.max())


def test_a_light_at_the_pole_is_a_whole_row() -> None:
    picture = sum_of_light(particle(0.0, 2.0, -1e-5, 0.06), SPHERE)[0]
    assert picture[0].min() > 0.7
    assert picture[0].max() / picture[0].min() < 1.05
    assert picture[40:].max() < 1e-3


@pytest.mark.parametrize("place", [(0.0, 0.0, -2.0), (1.1, 1.4, 0.6), (0.2, 1.98, 0.1)])
@pytest.mark.parametrize("sigma", [0.03, 0.12])
def test_light_per_solid_angle_is_the_same_everywhere(place: tuple[float, float, float], sigma: float) -> None:
    """Over the sphere a sprite sums up to radiance x 2 pi sigma^2, at the equator as near the pole."""
    picture = sum_of_light(particle(*place, sigma), SPHERE)[0]
    rows = math.pi * (0.5 - (np.arange(256) + 0.5) / 256)
    texel = (math.pi / 256) ** 2
    total = float((picture.sum(axis=1) * np.cos(rows)).sum() * texel)
    distance = math.sqrt(sum(v * v for v in place))
    assert total == pytest.approx(2 * math.pi * (sigma / distance) ** 2, rel=0.04)


def test_energy_is_the_same_on_every_level() -> None:
    """Sum over a flat picture = radiance x 2 pi sigma^2 in pixels, on whatever level the sprite is."""
    for sigma_px in (0.2, 0.5, 0.9, 1.29, 1.31, 2.5, 2.7, 5.1, 9.0, 17.0, 30.0):
        metres = sigma_px * 2.6 / FLAT.focal
        for shift in (0.0, 0.0013, 0.0027):
            total = sum_of_light(particle(shift, shift, -2.6, metres), FLAT)[0].sum()
            assert total == pytest.approx(2 * math.pi * sigma_px**2, rel=0.02), sigma_px


def test_size_grows_without_jumps_over_level_borders() -> None:
    """Peak brightness across the change of level stays near that of its neighbours: nothing pops."""
    sizes = np.linspace(1.0, 12.0, 60)
    peaks = [sum_of_light(particle(0.0, 0.0, -2.6, s * 2.6 / FLAT.focal), FLAT)[0].max() for s in sizes]
    assert np.all(np.abs(np.diff(peaks)) < 0.1)
    assert np.all(np.array(peaks[5:]) > 0.78)


def test_a_band_draws_only_its_rows() -> None:
    sprite = np.array([[20.0, 33.0, 1.2, 1, 1, 1, 1.44, 0]], np.float32)
    index = np.zeros(1, np.int32)
    plane = np.full((3, 32, 80), 9.0, np.float32)
    splat_band(sprite, index, 0, 1, 0, 32, 64.0, plane, 0)
    assert plane[0, 31].max() > 0.1
    assert plane[0, :28].max() == 0.0
