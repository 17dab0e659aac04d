"""Smooth fields of space and flow time, cheap enough for every particle: sums of sines, each bent by the one before."""

from ethereal_gui.render.scene.jit import cos1, inlined, sin1


@inlined
def billow(x: float, y: float, z: float, flow: float) -> float:
    """A field in about -1..1 with features of a metre down to a fifth."""
    a = sin1(0.52 * x + 0.31 * y + 0.060 * flow + 0.22 * sin1(0.61 * z - 0.045 * flow))
    b = sin1(0.83 * y - 0.44 * z - 0.075 * flow + 0.30 * a + 0.17)
    c = sin1(1.31 * z + 0.97 * x + 0.11 * flow + 0.33 * b + 0.41)
    d = sin1(2.37 * x - 1.71 * y + 1.13 * z - 0.16 * flow + 0.35 * c + 0.77)
    return 0.42 * a + 0.30 * b + 0.20 * c + 0.12 * d


@inlined
def drift(x: float, y: float, z: float, flow: float) -> tuple[float, float, float]:
    """A displacement field, each part in about -1..1; folds space into sheets when it is strong."""
    ax = sin1(0.47 * y + 0.23 * z + 0.050 * flow)
    ay = sin1(0.41 * z - 0.28 * x - 0.043 * flow + 0.31)
    az = sin1(0.44 * x + 0.26 * y + 0.038 * flow + 0.62)
    bx = cos1(1.03 * y - 0.61 * z + 0.090 * flow + 0.30 * ay)
    by = cos1(0.94 * z + 0.57 * x - 0.083 * flow + 0.30 * az)
    bz = cos1(0.99 * x - 0.63 * y + 0.071 * flow + 0.30 * ax)
    return 0.62 * ax + 0.38 * bx, 0.62 * ay + 0.38 * by, 0.62 * az + 0.38 * bz
