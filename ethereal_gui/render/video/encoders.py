"""Which encoder makes the pictures, and how it is set up.

Every encoder is asked for the same thing: closed groups of pictures of half a second that begin with an IDR picture,
High profile with two B-frames, 4:2:0, BT.709 (YouTube's recommended upload settings), at constant quality with a cap.
HEVC goes without B-frames: at 8192 x 8192 each picture that x265 keeps costs 700 MB, and they save 5 % of the bits at
40 % of the speed.

Dark gradients show bands in 8 bits. The pictures come with grain against it, and the encoders keep that grain:
adaptive quantisation that favours dark areas (x264's aq-mode 3), a weak deblocking filter, no psychovisual tricks that
move noise about. HEVC does without adaptive quantisation: at 8K it takes four to seven times the bits and half as much
time again, to bring the mean of a dark block of 16 x 16 from 0.16 of a code value to 0.11. AV1 smooths grain away
whatever it is told, and 8 bits of what is left are bands: it gets 10, which all its decoders take.
"""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Final, cast

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from ethereal_gui.domain.formats import Codec, OutputFormat, Projection, Quality

SOFTWARE: Final = {Codec.H264: "libx264", Codec.HEVC: "libx265"}
AV1: Final = "libsvtav1"
"""SVT-AV1, in place of the software encoder of a format's own codec."""

_AV1_MOST_PIXELS: Final = 8192 * 4352
"""The largest picture of AV1's highest level; 8192 x 8192 stays HEVC."""

HARDWARE: Final = ("nvenc", "videotoolbox", "qsv", "amf", "vaapi")
"""Families in the order of preference; which of them a machine has, only a trial says."""

_X264_THREADS: Final = 6
"""x264's packets depend on the number of its threads, so it is the same on every machine: a segment fits whoever
encoded it. Six are as fast as three on two cores, and as many as a drawing thread can keep busy."""

_X264_SLICES: Final = 8
_MANY_PIXELS: Final = 3840 * 2160
"""From here on x264's threads share one picture instead of working on several: 270 MB at 4K instead of 560."""


@dataclass(frozen=True, slots=True)
class EncoderSetup:
    """A set-up encoder, ready to be opened; equal set-ups make equal packets on one machine.

    Attributes:
        codec_name: FFmpeg's name of the encoder.
        options: FFmpeg's options for it.
        gop: pictures per group. threads: 0 for as many as the encoder likes.
        keeps_frames: it may still read a frame after ``encode`` has returned.
        processors: how many x265 and SVT-AV1 may use, 0 for all; their packets are the same with any number.
    """

    codec_name: str
    width: int
    height: int
    fps: int
    gop: int
    options: tuple[tuple[str, str], ...]
    threads: int
    codec_tag: str | None = None
    keeps_frames: bool = False
    processors: int = 0

    @property
    def codec(self) -> str:
        """FFmpeg's name of what comes out."""
        return _CODECS.get(self.codec_name) or self.codec_name.split("_")[0]

    @property
    def is_common(self) -> bool:
        """Every machine has it, and makes the same packets with it."""
        return self.codec_name in SOFTWARE.values()

    def identity(self) -> dict[str, Any]:
        """Everything that determines the packets, as plain JSON; with the versions of the libraries."""
        versions = {name: list(version) for name, version in av.library_versions.items()}
        return {**asdict(self), "processors": None, "av": av.__version__, "libraries": versions}

    def configure(self, context: av.VideoCodecContext) -> None:
        """Set everything on a context or stream's context that is not open yet."""
        context.width, context.height = self.width, self.height
        context.pix_fmt = "yuv420p10le" if self.codec_name == AV1 else "yuv420p"
        context.framerate = Fraction(self.fps)
        context.sample_aspect_ratio = Fraction(1)
        context.gop_size = self.gop
        context.max_b_frames = 0 if self.codec_name in ("libx265", AV1) else 2
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.thread_type = "AUTO"
        context.thread_count = self.threads
        if self.codec_tag:
            context.codec_tag = self.codec_tag
        context.options = dict(self.options)
        if self.processors and "x265-params" in context.options:
            context.options["x265-params"] += f":pools={self.processors}"
        if self.processors and "svtav1-params" in context.options:
            context.options["svtav1-params"] += f":lp={self.processors}"

    def add_stream(self, container: av.container.OutputContainer) -> VideoStream:
        """A video stream of this set-up."""
        stream = cast(VideoStream, container.add_stream(self.codec_name, rate=self.fps))
        self.configure(stream.codec_context)
        return stream


def software_setup(
    output_format: OutputFormat, fps: int, quality: Quality, *, limit: float | None = None, processors: int = 0
) -> EncoderSetup:
    """The software encoder of the format's codec; works on every machine and makes the same packets on each.

    Args:
        limit: the most megabits per second; the format's own when None.
    """
    peak = peak_bit_rate(output_format, fps, limit)
    if output_format.codec is Codec.HEVC:
        return _setup(output_format, fps, "libx265", _x265(peak, fps, quality), 0, processors=processors)
    threads = _X264_SLICES if output_format.pixels >= _MANY_PIXELS else _X264_THREADS
    return _setup(output_format, fps, "libx264", _x264(output_format, peak, fps, quality), threads)


def av1_setup(
    output_format: OutputFormat, fps: int, quality: Quality, *, limit: float | None = None, processors: int = 0
) -> EncoderSetup:
    """SVT-AV1, or the software encoder of the format's codec where a picture is too large for AV1."""
    if output_format.pixels > _AV1_MOST_PIXELS:
        return software_setup(output_format, fps, quality, limit=limit, processors=processors)
    peak = peak_bit_rate(output_format, fps, limit)
    return _setup(output_format, fps, AV1, _svt_av1(peak, fps, quality), 0, processors=processors)


def hardware_setup(
    output_format: OutputFormat, fps: int, quality: Quality, family: str, *, limit: float | None = None
) -> EncoderSetup:
    """The encoder of a hardware family; whether it works is for a trial to find out."""
    options = _HARDWARE_OPTIONS[family] | _hardware_rate(peak_bit_rate(output_format, fps, limit), quality, family)
    if output_format.codec is Codec.H264:
        options["profile"] = "high"
    return _setup(output_format, fps, f"{output_format.codec.value}_{family}", options, 0, keeps_frames=True)


def peak_bit_rate(output_format: OutputFormat, fps: int, limit: float | None = None) -> int:
    """Bits per second that a video never exceeds for long: above what YouTube recommends, below what players and
    platforms refuse (Reels: 25 Mb/s; a headset's decoder: about 150 Mb/s). ``limit`` in megabits may lower it."""
    peak = _peak_of_format(output_format, fps)
    return min(peak, round(limit * 1e6)) if limit else peak


def _peak_of_format(output_format: OutputFormat, fps: int) -> int:
    pixels = output_format.pixels
    if output_format.projection is Projection.EQUIRECTANGULAR:
        return 160_000_000 if pixels > 4096 * 4096 else 100_000_000
    if pixels <= 1920 * 1080:
        return 16_000_000 if fps <= 30 else 24_000_000
    return 68_000_000 if fps <= 30 else 85_000_000


def _setup(
    output_format: OutputFormat,
    fps: int,
    name: str,
    options: dict[str, str],
    threads: int,
    *,
    keeps_frames: bool = False,
    processors: int = 0,
) -> EncoderSetup:
    return EncoderSetup(
        codec_name=name,
        width=output_format.width,
        height=output_format.height,
        fps=fps,
        gop=max(1, fps // 2),
        options=tuple(sorted(options.items())),
        threads=threads,
        codec_tag="hvc1" if output_format.codec is Codec.HEVC and name != AV1 else None,
        keeps_frames=keeps_frames,
        processors=processors,
    )


_X264 = {
    # preset and quality; ``tune=grain`` at high quality is what keeps the grain whole (docs: banding)
    Quality.DRAFT: ("superfast", "24", "aq-mode=2"),
    Quality.STANDARD: ("veryfast", "20", "aq-mode=3:aq-strength=1.0:deblock=-1,-1:psy-rd=0.6,0.0"),
    Quality.HIGH: ("veryfast", "16", "aq-mode=3:aq-strength=1.1:deblock=-2,-2:psy-rd=0.4,0.0:deadzone-inter=10"),
}


def _x264(output_format: OutputFormat, rate: int, fps: int, quality: Quality) -> dict[str, str]:
    preset, crf, tuning = _X264[quality]
    gop = max(1, fps // 2)
    params = (
        f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:bframes=2:b-pyramid=none:b-adapt=0:stitchable=1:"
        # Macroblock-tree with frame threads is not reproducible: about one run in fifty differs.
        # Without it, looking ahead serves nothing but the cap, which hardly ever binds, and takes memory.
        f"mbtree=0:rc-lookahead=0:sync-lookahead=0:{tuning}"
    )
    if output_format.pixels >= _MANY_PIXELS:
        params += f":sliced-threads=1:slices={_X264_SLICES}"
    return {
        "preset": preset,
        "crf": crf,
        "profile": "high",
        "maxrate": str(rate),
        "bufsize": str(2 * rate),
        "x264-params": params,
    }


_X265 = {
    Quality.DRAFT: ("ultrafast", "26", ""),
    Quality.STANDARD: ("ultrafast", "21", ":deblock=-1,-1"),
    Quality.HIGH: ("superfast", "17", ":deblock=-2,-2:psy-rd=0.5"),
}


def _x265(peak: int, fps: int, quality: Quality) -> dict[str, str]:
    preset, crf, tuning = _X265[quality]
    gop = max(1, fps // 2)
    rate = peak // 1000
    params = (
        f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:bframes=0:cutree=0:rc-lookahead=0:"
        # Blocks of 64 take a little less memory than the preset's 32.
        f"ctu=64:lookahead-slices=0:frame-threads=1:vbv-maxrate={rate}:vbv-bufsize={2 * rate}:"
        f"colorprim=bt709:transfer=bt709:colormatrix=bt709:range=limited:log-level=error{tuning}"
    )
    return {"preset": preset, "crf": crf, "x265-params": params}


# Presets from 10 on warn of visible faults. Standard takes half of x264's bits and 1.7 times its processor time.
# Between qualities that keep a dark gradient there are some that turn single pictures of it into bands.
_AV1 = {Quality.DRAFT: ("9", "24"), Quality.STANDARD: ("9", "16"), Quality.HIGH: ("7", "14")}


def _svt_av1(peak: int, fps: int, quality: Quality) -> dict[str, str]:
    preset, crf = _AV1[quality]
    # Closed groups, no scene cuts, and mini-groups of eight that fit into half a second.
    params = f"irefresh-type=2:scd=0:hierarchical-levels=3:mbr={peak // 1000}"
    return {"preset": preset, "crf": crf, "g": str(max(1, fps // 2)), "svtav1-params": params}


_CODECS: Final = {"libx264": "h264", "libx265": "hevc", AV1: "av1"}

_HARDWARE_OPTIONS: Final[dict[str, dict[str, str]]] = {
    "nvenc": {
        "preset": "p5",
        "tune": "hq",
        "rc": "vbr",
        "spatial-aq": "1",
        "strict_gop": "1",
        "no-scenecut": "1",
        "forced-idr": "1",
        "b_ref_mode": "disabled",
    },
    "videotoolbox": {"realtime": "0", "allow_sw": "0"},
    "qsv": {"preset": "medium", "look_ahead": "0", "idr_interval": "0", "adaptive_i": "0", "adaptive_b": "0"},
    "amf": {"quality": "quality", "rc": "vbr_peak", "header_spacing": "0"},
    "vaapi": {"rc_mode": "VBR", "idr_interval": "0"},
}
_CQ = {Quality.DRAFT: "27", Quality.STANDARD: "22", Quality.HIGH: "18"}
_SHARE = {Quality.DRAFT: 0.3, Quality.STANDARD: 0.6, Quality.HIGH: 0.9}


def _hardware_rate(peak: int, quality: Quality, family: str) -> dict[str, str]:
    rates = {"maxrate": str(peak), "bufsize": str(2 * peak)}
    if family == "nvenc":
        return {**rates, "cq": _CQ[quality], "b": "0"}
    return {**rates, "b": str(round(peak * _SHARE[quality]))}
