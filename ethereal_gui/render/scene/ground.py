"""The shape of the hills, which both the stars and the picture of the ground have to know."""

from ethereal_gui.render.scene.jit import kernel, sin1


@kernel
def ridge(azimuth: float) -> float:
    """Elevation (tangent) of the hills at an azimuth in turns; periodic, so 360 degrees have no seam."""
    far = 0.034 + 0.016 * sin1(3.0 * azimuth + 0.10) + 0.011 * sin1(7.0 * azimuth + 0.37)
    far += 0.010 * sin1(17.0 * azimuth + 0.61 + 0.15 * sin1(5.0 * azimuth))
    jag = sin1(41.0 * azimuth + 0.3 * sin1(13.0 * azimuth)) + 0.6 * sin1(89.0 * azimuth + 0.2)
    trees = abs(sin1(160.0 * azimuth + 0.25 * sin1(23.0 * azimuth))) + 0.5 * abs(sin1(331.0 * azimuth + 0.4))
    return max(0.006, far + 0.0045 * jag) + 0.0016 * trees
