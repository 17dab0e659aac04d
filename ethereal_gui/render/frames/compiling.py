"""Kernels that were never compiled on this machine are compiled by two processes.

Numba compiles for about twenty seconds before the first picture, one kernel after the other: its compiler has a global
lock, and so has Python. But what it compiled lies in a folder that all processes share. So while this process compiles
what places the scene's particles, another one compiles what makes a picture of them (rasterizer.py), which is the same
for every template; this one then finds it.
"""

import contextlib
import gc
import os
import subprocess
import sys
import threading

import numpy as np

from ethereal_gui.domain.formats import Projection
from ethereal_gui.domain.machine import usable_cores
from ethereal_gui.render.frames.rasterizer import Backdrop, Crew, Planes, Rasterizer, Shot
from ethereal_gui.render.scene.base import PARTICLE_SIZE
from ethereal_gui.render.scene.camera import make_layout, make_view
from ethereal_gui.render.scene.jit import KERNEL_FOLDER
from ethereal_gui.render.scene.sky import MAP_SIZE
from ethereal_gui.render.scene.timeline import MOMENT_SIZE

_SIDE = 64

_lock = threading.Lock()
_begun = _waited = False
_process: "subprocess.Popen[bytes] | None" = None


def begin() -> None:
    """Have the picture's kernels compiled, unless they are there or this process has only one processor."""
    global _begun, _waited, _process
    with _lock:
        if _begun:
            return
        _begun, _waited = True, _are_compiled()
        if _waited:
            return
        gc.disable()  # the compiler's objects are many, and all in use
        if usable_cores() > 1:
            with contextlib.suppress(OSError):  # then this process compiles them itself
                _process = subprocess.Popen(  # noqa: S603 - this very Python and this very module
                    [sys.executable, "-P", "-m", __name__],
                    stdin=subprocess.PIPE,  # whose end tells it that this process is gone
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )


def wait() -> None:
    """Until what ``begin`` began has ended, well or not; then this process compiles what is missing."""
    global _waited
    if _waited:
        return
    with _lock:
        if not _waited:
            if _process is not None:
                _process.wait()
            gc.enable()
            _waited = True


def _are_compiled() -> bool:
    """``develop`` is the last one that a picture needs."""
    return any(KERNEL_FOLDER.glob("**/develop.develop-*.nbc"))


def _compile() -> None:
    """Make a small picture of one dark particle."""
    layout = make_layout(_SIDE, _SIDE, Projection.PERSPECTIVE)
    sky = np.zeros((3, MAP_SIZE + 2, MAP_SIZE + 2), np.float32)
    rasterizer = Rasterizer(layout, Backdrop(sky, None), count=1, samples=1, bloom=0.1, grain=0.0, crew=Crew(1))
    view = make_view(layout, np.zeros(MOMENT_SIZE), 0, len(rasterizer.levels), 0.0, 0.0, False)
    shot = Shot(view, 0.0, turn=np.eye(3), shine=0.0, gain=1.0, grain=0)
    luma = np.zeros((_SIDE, _SIDE // 2), np.uint16)
    cb, cr = np.zeros((2, _SIDE // 2, _SIDE // 2), np.uint8)
    rasterizer.draw(np.zeros((1, PARTICLE_SIZE), np.float32), shot, Planes(luma, cb, cr))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()
    _compile()
