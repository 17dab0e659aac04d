"""The pictures don't depend on the processor, nor on whether the kernels were compiled just now or came from a file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DRAW = """
import hashlib, sys
import numpy as np
from ethereal_gui.domain.formats import Quality
from tests.unit.render_frames.conftest import bundled
from tests.unit.render_frames.synthetic import make_features
from ethereal_gui.domain.formats import get_format
from ethereal_gui.render.frames.renderer import FrameRenderer
from ethereal_gui.render.scene.jit import WERE_COMPILED

digest = hashlib.sha256()
for output_format, size in (("1080p", (160, 96)), ("360stereo", (128, 128))):
    renderer = FrameRenderer(
        bundled("flame"), get_format(output_format), 30, make_features(), quality=Quality.STANDARD, size=size
    )
    out = np.empty((size[1] * 3 // 2, size[0]), np.uint8)
    for n in range(60, 400, 20):
        renderer.draw_yuv(n, out)
        digest.update(out)
print(digest.hexdigest(), WERE_COMPILED)
"""


def draw(cache: Path, **environment: str) -> tuple[str, bool]:
    """A digest of some pictures, drawn in a process of its own, and whether its kernels were there already."""
    done = subprocess.run(
        [sys.executable, "-c", DRAW],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    digest, were_compiled = done.stdout.split()
    return digest, were_compiled == "True"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Pictures of kernels that were compiled for this processor by the process that drew them."""
    cache = tmp_path_factory.mktemp("kernels")
    digest, were_compiled = draw(cache)
    assert not were_compiled
    return cache, digest


def test_kernels_from_the_cache_draw_what_fresh_ones_drew(fresh: tuple[Path, str]) -> None:
    cache, expected = fresh
    assert list(cache.rglob("*.nbc"))
    assert draw(cache) == (expected, True)


def test_kernels_for_another_processor_draw_the_same(fresh: tuple[Path, str], tmp_path: Path) -> None:
    _, expected = fresh
    assert draw(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="") == (expected, False)
