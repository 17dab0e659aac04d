"""The preview's child process: pictures at any time and size, errors in words, a new child when one died."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ethereal_gui.domain.errors import FileMissingError, NotAudioError, RenderCrashedError
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import load_template
from ethereal_gui.worker.preview import PreviewProcess, PreviewRequest
from tests.integration.rendering import make_song, shared_cache


@pytest.fixture
def preview() -> Iterator[PreviewProcess]:
    process = PreviewProcess(shared_cache())
    yield process
    process.close()


def request(path: Path, time: float = 1.0, **more: object) -> PreviewRequest:
    values: dict[str, object] = {
        "audio_path": str(path),
        "template": load_template(resource_path("templates", "flame.json")),
        "output_format": "1080p",
        "fps": 30,
        "time": time,
        "width": 192,
        "height": 108,
        **more,
    }
    return PreviewRequest.model_validate(values)


async def test_pictures_at_any_time_are_pure_and_differ(preview: PreviewProcess, tmp_path: Path) -> None:
    song = make_song(tmp_path / "a.wav", 3.0)
    early, late, again = [await preview.picture(request(song, time)) for time in (1.4, 2.0, 1.4)]
    assert early.pixels == again.pixels != late.pixels
    assert (early.width, early.height) == (192, 108)
    assert early.duration == pytest.approx(3.0, abs=0.05)
    pixels = np.frombuffer(early.pixels, np.uint8).reshape(108, 192, 3)
    assert pixels.max() > 60
    assert pixels.min() < 40


async def test_odd_sizes_and_times_outside_the_song_are_made_to_fit(preview: PreviewProcess, tmp_path: Path) -> None:
    song = make_song(tmp_path / "a.wav", 1.0)
    for time in (-5.0, 99.0):
        picture = await preview.picture(request(song, time, output_format="360stereo", width=101, height=103))
        assert (picture.width, picture.height) == (100, 100)


async def test_errors_come_back_as_themselves_and_the_child_goes_on(preview: PreviewProcess, tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match=r"gone\.wav"):
        await preview.picture(request(tmp_path / "gone.wav"))
    (tmp_path / "text.wav").write_text("no audio at all " * 50)
    with pytest.raises(NotAudioError, match=r"text\.wav"):
        await preview.picture(request(tmp_path / "text.wav"))
    assert (await preview.picture(request(make_song(tmp_path / "a.wav"), 0.5))).pixels


async def test_a_child_that_died_is_replaced(preview: PreviewProcess, tmp_path: Path) -> None:
    song = make_song(tmp_path / "a.wav")
    await preview.picture(request(song, 0.5))
    preview._process.kill()  # type: ignore[union-attr]
    await asyncio.to_thread(preview._process.wait)  # type: ignore[union-attr]
    assert (await preview.picture(request(song, 0.5))).pixels
    preview.close()
    with pytest.raises(RenderCrashedError, match="closed"):
        await preview.picture(request(song, 0.5))
