"""A click and a flash at the same moment are at the same moment in the file."""

import itertools
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.render import drawing
from ethereal_gui.render.engine import render
from ethereal_gui.render.spec import RenderSpec
from tests import media

MOMENTS = (0.5, 1.4, 2.3)


class Flashes:
    """A renderer whose picture is white in the frames of the moments, and black else."""

    def __init__(self, _template: object, _format: object, fps: int, _features: object, **_more: object) -> None:
        self._frames = {round(moment * fps) for moment in MOMENTS}

    def draw_yuv(self, n: int, out: NDArray[np.uint8]) -> None:
        height = out.shape[0] * 2 // 3
        out[:height] = 235 if n in self._frames else 16
        out[height:] = 128

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("suffix", ["wav", "mp3", "m4a", "opus"])
def test_sound_and_picture_are_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fps: int, suffix: str) -> None:
    monkeypatch.setattr(drawing, "FrameRenderer", Flashes)
    rate = 48_000 if suffix == "opus" else 44_100
    song = media.write_audio(tmp_path / f"song.{suffix}", media.clicks(3.0, list(MOMENTS), rate=rate), rate)
    (tmp_path / "out").mkdir()
    template = TemplateLibrary(resource_path("templates")).get("flame")
    got = render(
        RenderSpec(song, template, media.small_format(64, 64), fps, Quality.STANDARD),
        tmp_path / "out",
        (f"v{n}.mp4" for n in itertools.count(1)),
        work_dir=tmp_path / "work",
        cache_dir=tmp_path / "cache",
        encoder="software",
    )
    with av.open(str(got.path)) as container:
        frames = [(float(frame.time or 0.0), frame.to_ndarray()[:64].mean()) for frame in container.decode(video=0)]
        flashes = [time for time, light in frames if light > 128]
    with av.open(str(got.path)) as container:
        first: float | None = None
        parts = []
        for frame in container.decode(audio=0):
            first = frame.time if first is None else first
            parts.append(frame.to_ndarray()[0])
    sound = np.abs(np.concatenate(parts))
    assert first == 0
    assert flashes == pytest.approx(MOMENTS, abs=0.5 / fps)
    for moment, flash in zip(MOMENTS, flashes, strict=True):
        start = round((moment - 0.2) * 48_000)
        heard = (start + int(np.argmax(sound[start : start + 19_200]))) / 48_000
        assert heard == pytest.approx(moment, abs=0.002)
        assert abs(heard - flash) < 0.5 / fps
