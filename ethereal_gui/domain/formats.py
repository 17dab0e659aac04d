"""Every output format: size, projection, stereo layout and codec.

H.264 above 4096 pixels a side is refused by much hardware and 8192x8192 exceeds every H.264 level, so the formats
from 5760 pixels up are HEVC. The suffixes ``_360`` and ``_360_TB`` are what headset galleries go by.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ethereal_gui.domain.errors import UnknownFormatError


class Projection(StrEnum):
    """How a direction in space becomes a place in the picture."""

    PERSPECTIVE = "perspective"
    EQUIRECTANGULAR = "equirectangular"


class StereoMode(StrEnum):
    """How the two eyes' pictures share the frame (Spherical Video V2 names)."""

    MONO = "mono"
    TOP_BOTTOM = "top-bottom"


class FormatGroup(StrEnum):
    """Under which heading the window lists a format."""

    FLAT = "Flat"
    VERTICAL = "Vertical"
    VR = "360°"


class Codec(StrEnum):
    """The video codec of a format."""

    H264 = "h264"
    HEVC = "hevc"


class Quality(StrEnum):
    """How much time and how many bits a picture gets."""

    DRAFT = "draft"
    STANDARD = "standard"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """One output format; ``width`` x ``height`` is the whole frame, both eyes included.

    Attributes:
        id: the name on the command line, in job data and in job ids.
        label: the name on the screen.
        description: one line on what it is for.
        suffix: what file names carry; equal to the id for flat formats.
    """

    id: str
    label: str
    description: str
    group: FormatGroup
    width: int
    height: int
    suffix: str
    projection: Projection = Projection.PERSPECTIVE
    stereo: StereoMode = StereoMode.MONO
    codec: Codec = Codec.H264

    @property
    def eye_height(self) -> int:
        """Rows of one eye's picture."""
        return self.height // 2 if self.stereo is StereoMode.TOP_BOTTOM else self.height

    @property
    def pixels(self) -> int:
        """Pixels of a whole frame."""
        return self.width * self.height


FRAME_RATES: Final = (30, 60)


def _vr(
    id_: str, label: str, text: str, width: int, height: int, suffix: str, stereo: StereoMode, codec: Codec
) -> OutputFormat:
    return OutputFormat(
        id_, label, text, FormatGroup.VR, width, height, suffix, Projection.EQUIRECTANGULAR, stereo, codec
    )


_MONO, _STEREO = StereoMode.MONO, StereoMode.TOP_BOTTOM
_ALL = (
    OutputFormat("1080p", "1080p", "YouTube, screens; 1920 x 1080", FormatGroup.FLAT, 1920, 1080, "1080p"),
    OutputFormat("4k", "4K", "Large screens; 3840 x 2160", FormatGroup.FLAT, 3840, 2160, "4k"),
    OutputFormat("1080p_square", "Square", "Feeds; 1080 x 1080", FormatGroup.FLAT, 1080, 1080, "1080p_square"),
    OutputFormat(
        "1080p_vertical",
        "Vertical",
        "Shorts, Reels, phones; 1080 x 1920",
        FormatGroup.VERTICAL,
        1080,
        1920,
        "1080p_vertical",
    ),
    OutputFormat(
        "4k_vertical",
        "4K vertical",
        "Phones at full detail; 2160 x 3840",
        FormatGroup.VERTICAL,
        2160,
        3840,
        "4k_vertical",
    ),
    _vr("360mono", "360", "Headsets, YouTube 360; 4096 x 2048", 4096, 2048, "360", _MONO, Codec.H264),
    _vr("360mono_8k", "360 8K", "Sharpest 360; 8192 x 4096", 8192, 4096, "8k_360", _MONO, Codec.HEVC),
    _vr("360stereo", "360 3D", "Headsets in depth; 4096 x 4096", 4096, 4096, "360_TB", _STEREO, Codec.H264),
    _vr("360stereo_6k", "360 3D 6K", "Quest; 5760 x 5760", 5760, 5760, "6k_360_TB", _STEREO, Codec.HEVC),
    _vr(
        "360stereo_8k",
        "360 3D 8K",
        "Newest headsets; 8192 x 8192",
        8192,
        8192,
        "8k_360_TB",
        _STEREO,
        Codec.HEVC,
    ),
)

FORMATS: Final = MappingProxyType({fmt.id: fmt for fmt in _ALL})


def get_format(format_id: str) -> OutputFormat:
    """The format of that id.

    Raises:
        UnknownFormatError: there is no such format.
    """
    try:
        return FORMATS[format_id]
    except KeyError:
        raise UnknownFormatError(
            f"There is no output format “{format_id}”.", hint=f"Choose from: {', '.join(FORMATS)}."
        ) from None
