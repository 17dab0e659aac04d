"""The last look: a file is reopened and compared with what was asked for, before it gets its name."""

from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from ethereal_gui.domain.errors import VerificationError
from ethereal_gui.domain.formats import OutputFormat
from ethereal_gui.render.video.boxes import Box, BoxError, read_box, top_level
from ethereal_gui.render.video.sound import RATE
from ethereal_gui.render.video.spherical import is_spherical, sample_entry, v1_box, v2_boxes, video_track


def verify(path: Path, output_format: OutputFormat, fps: int, frames: int, codec: str) -> None:
    """Check streams, size, length, colour tags, order of the boxes, spherical metadata, and that it decodes.

    Args:
        codec: FFmpeg's name of it.

    Raises:
        VerificationError: the message says what is wrong.
    """
    try:
        _check_boxes(path, output_format)
        with av.open(str(path)) as container:
            _check_streams(container, output_format, fps, frames, codec)
            _check_pictures(container)
    except (av.error.FFmpegError, BoxError, OSError) as error:
        raise VerificationError(f"The finished video cannot be read back: {error}.") from error


def _check_streams(container: InputContainer, output_format: OutputFormat, fps: int, frames: int, codec: str) -> None:
    if not container.streams.video or not container.streams.audio:
        raise VerificationError("The finished video lacks its pictures or its sound.")
    video, audio = container.streams.video[0], container.streams.audio[0]
    _expect("codec", video.codec_context.codec.canonical_name, codec)
    if codec == "hevc":
        _expect("codec tag", video.codec_context.codec_tag, "hvc1")
    _expect("size", (video.width, video.height), (output_format.width, output_format.height))
    _expect("number of frames", video.frames, frames)
    _expect("frame rate", video.average_rate, Fraction(fps))
    context = video.codec_context
    _expect(
        "colour",
        (context.color_primaries, context.color_trc, context.colorspace, context.color_range),
        (ColorPrimaries.BT709, ColorTrc.BT709, Colorspace.ITU709, ColorRange.MPEG),
    )
    _expect("sample rate", audio.sample_rate, RATE)
    _expect("channels", audio.channels, 2)
    wanted = frames / fps
    for name, stream in (("pictures", video), ("sound", audio)):
        seconds = float((stream.duration or 0) * (stream.time_base or 0))
        if abs(seconds - wanted) > 1.0 / fps:
            raise VerificationError(f"The {name} of the finished video last {seconds:.3f} s instead of {wanted:.3f} s.")


def _check_pictures(container: InputContainer) -> None:
    """The first and the last group of pictures decode."""
    video: VideoStream = container.streams.video[0]
    if next(container.decode(video), None) is None:
        raise VerificationError("The first picture of the finished video does not decode.")
    container.seek(max(0, (video.duration or 1) - 1), stream=video)
    last = None
    for frame in container.decode(video):
        last = frame.pts
    end = video.duration or 0
    step = Fraction(1) / ((video.average_rate or Fraction(1)) * (video.time_base or Fraction(1)))
    if last is None or abs(last - (end - step)) > step / 2:
        raise VerificationError("The last picture of the finished video does not decode.")


def _check_boxes(path: Path, output_format: OutputFormat) -> None:
    with path.open("rb") as file:
        places = top_level(file)
        kinds = [place.kind for place in places]
        if b"moov" not in kinds or b"mdat" not in kinds or kinds.index(b"moov") > kinds.index(b"mdat"):
            raise VerificationError("The finished video has its index behind the pictures.")
        moov = read_box(file, places[kinds.index(b"moov")])
    if any(track.find(b"edts") for track in moov.find_all(b"trak")):
        raise VerificationError("The finished video has an edit list.")
    if is_spherical(output_format):
        _check_spherical(moov, output_format)


def _check_spherical(moov: Box, output_format: OutputFormat) -> None:
    track = video_track(moov)
    written = [bytes(box) for box in sample_entry(track).children or ()] + [bytes(box) for box in track.children or ()]
    for box in (*v2_boxes(output_format.stereo), v1_box(output_format.stereo)):
        if bytes(box) not in written:
            raise VerificationError(f"The finished video lacks its {box.kind.decode()} box.")


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise VerificationError(f"The {what} of the finished video is {found} instead of {wanted}.")
