"""The preview's child process: pictures at any time and size, errors in words, a new child when one died."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from ethereal_gui.domain.errors import FileMissingError, FileUnreadableError, NotAudioError, RenderCrashedError
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import load_template
from ethereal_gui.worker.preview import PreviewPicture, PreviewProcess, PreviewRequest, VideoRequest
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
    if sys.platform == "linux":  # it opens strangers' files, so it is confined as a render is
        assert "NoNewPrivs:\t1" in Path(f"/proc/{preview._process.pid}/status").read_text()  # type: ignore[union-attr]
    preview._process.kill()  # type: ignore[union-attr]
    await asyncio.to_thread(preview._process.wait)  # type: ignore[union-attr]
    assert (await preview.picture(request(song, 0.5))).pixels
    preview.close()
    with pytest.raises(RenderCrashedError, match="closed"):
        await preview.picture(request(song, 0.5))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP")
async def test_a_child_that_hangs_is_given_up_and_replaced(tmp_path: Path) -> None:
    song = make_song(tmp_path / "a.wav", 1.0)
    preview = PreviewProcess(shared_cache(), patience=10.0)
    try:
        first = await preview.picture(request(song))
        child = preview._process
        assert child
        child.send_signal(signal.SIGSTOP)
        with pytest.raises(RenderCrashedError, match="start again"):
            await preview.picture(request(song))
        assert (await preview.picture(request(song))).pixels == first.pixels
    finally:
        preview.close()


async def test_a_finished_video_is_looked_into_at_any_moment(preview: PreviewProcess, tmp_path: Path) -> None:
    path = write_video(tmp_path / "☠ two colours.mp4")

    async def look(time: float, width: int = 90, height: int = 90) -> PreviewPicture:
        return await preview.picture(VideoRequest(video_path=str(path), time=time, width=width, height=height))

    early, late, beyond = [await look(time) for time in (0.3, 1.7, 99.0)]
    assert (early.width, early.height) == (90, 51)
    assert early.duration == pytest.approx(2.0)
    assert mean_colour(early) == pytest.approx((200, 20, 20), abs=6)
    assert mean_colour(late) == mean_colour(beyond) == pytest.approx((20, 20, 200), abs=6)


async def test_a_video_that_cannot_be_read_is_named(preview: PreviewProcess, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video at all " * 50)
    for name, error in (("gone.mp4", FileMissingError), ("text.mp4", FileUnreadableError)):
        with pytest.raises(error, match=name):
            await preview.picture(VideoRequest(video_path=str(tmp_path / name), time=1.0, width=90, height=90))


def write_video(path: Path) -> Path:
    """A second of red, a second of blue, as the engine's videos are: BT.709, two key pictures a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 320, 180, "yuv420p", 15
        stream.codec_context.colorspace = Colorspace.ITU709
        stream.codec_context.color_range = ColorRange.MPEG
        for n in range(60):
            rgb = np.full((180, 320, 3), (200, 20, 20) if n < 30 else (20, 20, 200), np.uint8)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def mean_colour(picture: PreviewPicture) -> tuple[float, ...]:
    pixels = np.frombuffer(picture.pixels, np.uint8).reshape(-1, 3)
    return tuple(float(value) for value in pixels.mean(axis=0))
