"""One picture of a video that need not be rendered for it, at once: a frame is a function of its time alone."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ethereal_gui.domain.machine import usable_cores
from ethereal_gui.render.audio.analyse import analyse
from ethereal_gui.render.caption.choose import choose_card
from ethereal_gui.render.frames.renderer import FrameRenderer
from ethereal_gui.render.spec import RenderSpec
from ethereal_gui.render.video.tags import chosen_tags

UInt8 = NDArray[np.uint8]


def draw_frame(spec: RenderSpec, n: int, *, size: tuple[int, int] | None = None, cache_dir: Path) -> UInt8:
    """Frame ``n`` of that video as sRGB, uint8 (height, width, 3); at ``size`` (width, height) instead of the format's.

    Raises:
        InputError: the song cannot be used.
    """
    tags = chosen_tags(spec.audio_path, spec.title, spec.artist)
    renderer = FrameRenderer(
        spec.template,
        spec.output_format,
        spec.fps,
        analyse(spec.audio_path, spec.fps, cache_dir),
        quality=spec.quality,
        threads=usable_cores(),
        size=size,
        caption=choose_card(spec.caption, tags, spec.audio_path, spec.picture_path),
    )
    try:
        return renderer.draw_rgb(n)
    finally:
        renderer.close()
