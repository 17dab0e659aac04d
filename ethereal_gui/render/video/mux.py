"""Segments and sound -> one MP4, by copying packets; then the boxes that FFmpeg cannot write, in place.

FFmpeg reserves room for the index (``moov``) in front of the media and fills it in at the end. What is left of the
room is a ``free`` box, and into it grow the spherical metadata and the cover: no second copy of the file is ever made.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from ethereal_gui.domain.formats import OutputFormat
from ethereal_gui.render.video.boxes import Box, free, read_box, top_level
from ethereal_gui.render.video.segments import MP4_OPTIONS, Segment, SegmentStore
from ethereal_gui.render.video.sound import RATE
from ethereal_gui.render.video.spherical import add_spherical, is_spherical
from ethereal_gui.render.video.storage import writing
from ethereal_gui.render.video.tags import Tags, cover_kind

_INDEX_BASE, _INDEX_PER_FRAME, _INDEX_PER_SOUND_PACKET = 65_536, 64, 24


class JoinError(Exception):
    """The parts do not fit together."""


def join(
    segments: Sequence[Segment],
    store: SegmentStore,
    sound: Path,
    out: Path,
    *,
    output_format: OutputFormat,
    fps: int,
    tags: Tags,
    on_progress: Callable[[float], None] = lambda _fraction: None,
) -> None:
    """Write ``out`` from finished parts.

    Raises:
        StorageError: it cannot be written.
        JoinError: the segments are not of one encoder, or not whole.
    """
    frames = segments[-1].stop
    room = (
        _INDEX_BASE
        + _INDEX_PER_FRAME * frames
        + _INDEX_PER_SOUND_PACKET * (frames * RATE // (fps * 1024) + 1)
        + len(tags.cover or b"")
    )
    with writing(out.parent):
        container = av.open(str(out), "w", format="mp4", options={**MP4_OPTIONS, "moov_size": str(room)})
        try:
            _copy(container, segments, store, sound, fps, tags, on_progress)
        finally:
            container.close()
        add_boxes(out, output_format, tags)


def add_boxes(path: Path, output_format: OutputFormat, tags: Tags) -> None:
    """Put the spherical metadata and the cover into a finished file, in place.

    Raises:
        JoinError: there is no room for them in front of the media.
    """
    with path.open("r+b") as file:
        places = top_level(file)
        index = next((i for i, place in enumerate(places) if place.kind == b"moov"), None)
        if index is None:
            raise JoinError("the file has no index")
        place = places[index]
        after = places[index + 1] if index + 1 < len(places) else None
        moov = read_box(file, place)
        if is_spherical(output_format):
            add_spherical(moov, output_format.stereo)
        if tags.cover is not None:
            _add_cover(moov, tags.cover)
        new = bytes(moov)
        end = after.end if after is not None and after.kind == b"free" else place.end
        left = end - place.start - len(new)
        if left and left < 8:
            raise JoinError("there is no room for the metadata")
        file.seek(place.start)
        file.write(new + (free(left) if left else b""))


def _copy(
    container: OutputContainer,
    segments: Sequence[Segment],
    store: SegmentStore,
    sound: Path,
    fps: int,
    tags: Tags,
    on_progress: Callable[[float], None],
) -> None:
    for name in ("title", "artist"):
        if value := getattr(tags, name):
            container.metadata[name] = value
    with av.open(str(store.path(segments[0]))) as first, av.open(str(sound)) as song:
        template = first.streams.video[0]
        # PyAV looks for an encoder of the decoder's name, which "libdav1d" is not.
        video = container.add_stream_from_template(template, opaque=template.codec_context.name == "libdav1d")
        audio = container.add_stream_from_template(song.streams.audio[0])
        extradata = template.codec_context.extradata
        if template.codec_context.name == "hevc":
            video.codec_context.codec_tag = "hvc1"  # what Apple's players ask for; copying makes it hev1
        video.time_base = Fraction(1, fps)
        packets = song.demux(song.streams.audio[0])
        pending = next(packets, None)
        for packet in _video_packets(segments, store, fps, extradata):
            time = Fraction(packet.dts or 0, fps)
            while pending is not None and pending.dts is not None and Fraction(pending.dts, RATE) <= time:
                pending.stream = audio
                container.mux_one(pending)
                pending = next(packets, None)
            done = (packet.dts or 0) / segments[-1].stop
            packet.stream = video
            container.mux_one(packet)
            on_progress(min(1.0, max(0.0, done)))
        while pending is not None:
            if pending.dts is not None:
                pending.stream = audio
                container.mux_one(pending)
            pending = next(packets, None)


def _video_packets(
    segments: Sequence[Segment], store: SegmentStore, fps: int, extradata: bytes | None
) -> "Iterator[av.Packet[VideoStream]]":
    """All video packets with time stamps in frames of the whole video."""
    delay: int | None = None
    for segment in segments:
        try:
            packets, shown = _read_segment(store.path(segment), fps, extradata)
        except OSError as error:
            raise JoinError(f"segment {segment.index} cannot be read: {error}") from error
        if sorted(shown) != list(range(segment.frames)):
            raise JoinError(f"segment {segment.index} has not the frames {segment.start} to {segment.stop}")
        if delay is None:
            delay = max(number - frame for number, frame in enumerate(shown))
        for number, (packet, frame) in enumerate(zip(packets, shown, strict=True)):
            packet.time_base = Fraction(1, fps)
            packet.pts = segment.start + frame
            packet.dts = segment.start + number - delay
            packet.duration = 1
            if packet.dts > packet.pts:
                raise JoinError(f"segment {segment.index} has its pictures in another order than the first")
            yield packet


def _read_segment(path: Path, fps: int, extradata: bytes | None) -> "tuple[list[av.Packet[VideoStream]], list[int]]":
    """The packets of a segment in the order of decoding, and when each is shown, in frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.extradata != extradata:
            raise JoinError(f"{path.name} comes from an encoder that was set up differently")
        packets = [packet for packet in container.demux(stream) if packet.size]
        base = stream.time_base or Fraction(1)
    return packets, [round(Fraction(packet.pts or 0) * base * fps) for packet in packets]


def _add_cover(moov: Box, cover: bytes) -> None:
    kind = cover_kind(cover)
    tags = moov.find(b"udta", b"meta", b"ilst")
    if kind is None or tags is None or tags.children is None:
        return
    data = Box(b"data", kind.to_bytes(4, "big") + bytes(4) + cover)
    tags.children.append(Box(b"covr", bytes(data)))
