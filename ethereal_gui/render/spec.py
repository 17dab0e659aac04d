"""What a render is asked to do, and what it says on the way. No queue, no window, no database in here."""

from dataclasses import dataclass
from pathlib import Path

from ethereal_gui.domain.formats import OutputFormat, Quality
from ethereal_gui.domain.job import Caption
from ethereal_gui.domain.template import Template


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """Everything that determines the pictures and the sound of one video.

    Attributes:
        audio_path: the song on this machine.
        template: the template with its final values.
        output_format: size, projection, stereo layout, codec.
        fps: frames per second, 30 or 60.
        quality: draft, standard or high.
        max_bit_rate: megabits per second that the pictures never exceed for long; the format's own limit when None.
        title, artist: for the caption and the file's tags; the audio file's own tags when None.
        caption: what is shown near the beginning. picture_path: a PNG or JPEG for it; the song's cover when None.
    """

    audio_path: Path
    template: Template
    output_format: OutputFormat
    fps: int = 30
    quality: Quality = Quality.STANDARD
    max_bit_rate: float | None = None
    title: str | None = None
    artist: str | None = None
    caption: Caption = Caption.NONE
    picture_path: Path | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a video that one worker renders: the frames ``start`` to ``stop`` (not included)."""

    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Sharing:
    """One render on several workers.

    Attributes:
        folder: for the segments, which all of them can reach; the last one to work on the video removes it.
        over: a video of more seconds, or a larger one than 4096 x 4096, is split up, others are made as if alone;
            None: others have rendered parts, and whatever is missing is rendered here.
    """

    folder: Path
    over: float | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """How a video was split up.

    Attributes:
        mark: of everything that determines its packets, see ``fingerprint``.
        frames: of the whole video. parts: what is missing of it.
    """

    mark: str
    frames: int
    parts: tuple[Part, ...]


class SplitUp(Exception):
    """Others shall render the parts of this video first. Nothing is wrong with it."""

    def __init__(self, split: Split) -> None:
        super().__init__(f"{len(split.parts)} parts")
        self.split = split


@dataclass(frozen=True, slots=True)
class RenderedVideo:
    """A finished and verified file.

    Attributes:
        path: its final name.
        duration: seconds. frames: count of video frames. size: bytes.
        resumed_frames: frames that were there from an earlier attempt.
        notes: sentences on what was left out of the video.
    """

    path: Path
    duration: float
    frames: int
    size: int
    resumed_frames: int = 0
    notes: tuple[str, ...] = ()
