"""The pictures don't depend on the processor, nor on whether the kernels were compiled just now or came from a file."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from ethereal_gui.domain.machine import usable_cores

DRAW = """
import hashlib, json
import numpy as np
from numba.core import event
from ethereal_gui.domain.formats import Quality
from tests.unit.render_frames.conftest import bundled
from tests.unit.render_frames.synthetic import make_features
from ethereal_gui.domain.formats import get_format
from ethereal_gui.render.frames.renderer import FrameRenderer
from ethereal_gui.render.scene.jit import WERE_COMPILED

class Compiled(event.Listener):
    modules = set()
    def on_start(self, happened):
        self.modules.add(happened.data["dispatcher"].py_func.__module__)
    def on_end(self, happened):
        pass

event.register("numba:compile", Compiled())
digest = hashlib.sha256()
for output_format, size in (("1080p", (160, 96)), ("360stereo", (128, 128))):
    renderer = FrameRenderer(
        bundled("flame"), get_format(output_format), 30, make_features(), quality=Quality.STANDARD, size=size
    )
    out = np.empty((size[1] * 3 // 2, size[0]), np.uint8)
    for n in range(60, 400, 20):
        renderer.draw_yuv(n, out)
        digest.update(out)
ours = sorted(name for name in Compiled.modules if name.startswith("ethereal_gui"))
print(json.dumps([digest.hexdigest(), WERE_COMPILED, ours]))
"""


@dataclass(frozen=True)
class Drawn:
    """Pictures drawn in a process of its own: were the kernels there, and in which modules did it compile some?"""

    digest: str
    were_compiled: bool
    compiled: list[str]


def draw(cache: Path, **environment: str) -> Drawn:
    done = subprocess.run(
        [sys.executable, "-c", DRAW],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Drawn(*json.loads(done.stdout))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(scope="module")
def fresh(cache: Path) -> Drawn:
    """Pictures of kernels that were compiled for this processor while they were drawn."""
    return draw(cache)


def test_kernels_are_compiled_by_two_processes(fresh: Drawn) -> None:
    assert not fresh.were_compiled
    assert "ethereal_gui.render.scene.flame" in fresh.compiled
    if usable_cores() > 1:
        assert not [name for name in fresh.compiled if name.startswith("ethereal_gui.render.frames.")]


def test_kernels_from_the_cache_draw_what_fresh_ones_drew(fresh: Drawn, cache: Path) -> None:
    assert draw(cache) == Drawn(fresh.digest, True, [])


def test_kernels_for_another_processor_draw_the_same(fresh: Drawn, tmp_path: Path) -> None:
    other = draw(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert (other.digest, other.were_compiled) == (fresh.digest, False)


BEGIN = """
import time
from ethereal_gui.render.frames import compiling
compiling.begin()
print(compiling._process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(usable_cores() == 1, reason="with one processor there is no second process")
def test_the_other_process_ends_with_the_render(tmp_path: Path) -> None:
    render = subprocess.Popen(
        [sys.executable, "-c", BEGIN], env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}, stdout=subprocess.PIPE
    )
    try:
        assert render.stdout is not None
        other = psutil.Process(int(render.stdout.readline()))
        assert other.is_running()
    finally:
        render.kill()
        render.communicate()
    with contextlib.suppress(psutil.NoSuchProcess):
        other.wait(20)
    assert not list(tmp_path.rglob("develop.develop-*.nbc"))
