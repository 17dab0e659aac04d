"""Dark hills and a lake in the summed light of level 1: a ridge hides what is behind it, still water mirrors it.

The mirror takes the rows above the horizon as they are (all that shines is far away, so its mirror image stands as
far below the horizon), pulled apart by ripples that are slower and longer in the foreground.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.render.scene.ground import ridge
from ethereal_gui.render.scene.jit import kernel, sin1

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@kernel
def _mirror(
    upper: Float32, lower: Float32, part: np.float32, reflect: np.float32, tint: np.float32, out: Float32
) -> None:
    for x in range(out.shape[0]):
        out[x] = reflect * (upper[x] + part * (lower[x] - upper[x])) + tint


@kernel
def add_landscape(plane: Float32, view: Float64, flow: float, tint: Float64, scale: int) -> None:
    """Hide, mirror and tint rows of a plane (``frames.pyramid``) whose texels are ``scale`` pixels.

    Args:
        tint: light of the hills' haze and of the water, float64 (2, 3) in the working space.
    """
    rows, width = plane.shape[1] - 2, plane.shape[2] - 16
    sphere = view[0] == 1.0
    pixel = 1.0 / scale
    if sphere:
        horizon = 0.5 * view[2] * pixel
        radians = math.pi / view[2] * scale
    else:
        # view[18], view[19]: how the camera's backward axis leans; the horizon is straight as long as it doesn't roll.
        horizon = (0.5 * view[2] - view[3] * view[18] / view[19]) * pixel
        radians = scale / view[3]
    top = np.empty(width, np.float64)
    for x in range(width):
        if sphere:
            azimuth = (x + 0.5) / width
        else:
            cx = ((x + 0.5) * scale - 0.5 * view[1]) / view[3]
            wx = view[11] * cx - view[17]
            wz = view[13] * cx - view[19]
            azimuth = math.atan2(wx, -wz) / (2.0 * math.pi) + 0.5
        top[x] = horizon - ridge(azimuth) / radians
    shore = math.floor(horizon)
    low = min(rows, max(0, shore))
    first = min(rows, max(0, math.floor(horizon - 0.13 / radians)))
    for y in range(first, low):
        depth = y + 0.5
        for x in range(width):
            seen = min(1.0, max(0.0, 0.5 * (top[x] - depth) + 0.5))
            seen = seen * seen * (3.0 - 2.0 * seen)
            haze = (1.0 - seen) * min(1.0, max(0.0, (depth - top[x]) / max(1.0, horizon - top[x])))
            for c in range(3):
                plane[c, y + 1, x + 8] = np.float32(plane[c, y + 1, x + 8] * seen + haze * tint[0, c])
    for y in range(low, rows):
        down = (y + 0.5 - horizon) * radians
        # Far water is calm and mirrors all; near water is darker and moves more.
        reflect = np.float32(0.75 / (1.0 + 1.6 * down))
        near = 1.0 / (0.04 + down)
        sway = sin1(0.55 * near - 0.16 * flow) + 0.6 * sin1(1.27 * near + 0.11 * flow + 0.3)
        shift = 0.0035 * sway * (0.3 + 6.0 * down) / radians
        source = horizon - (y + 0.5 - horizon) * 0.96 + shift
        s = min(low - 1.0, max(0.0, source - 0.5))
        i = math.floor(s)
        f = np.float32(s - i)
        k = min(low - 1, i + 1)
        for c in range(3):
            _mirror(plane[c, i + 1], plane[c, k + 1], f, reflect, np.float32(tint[1, c]), plane[c, y + 1])
