"""MP4 boxes: what is read can be written again, byte by byte."""

import io
import struct
from pathlib import Path
from xml.etree import ElementTree

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethereal_gui.domain.formats import FORMATS, StereoMode
from ethereal_gui.render.video import boxes
from ethereal_gui.render.video.boxes import Box, BoxError, free, parse, read_box, top_level
from ethereal_gui.render.video.mux import JoinError, add_boxes
from ethereal_gui.render.video.spherical import V1_UUID, add_spherical, sample_entry, v1_box, v2_boxes, video_track
from ethereal_gui.render.video.tags import Tags
from tests import media

LEAF_KINDS = st.sampled_from([b"tkhd", b"free", b"uuid", b"stsz", b"\xa9nam", b"abcd"])
CONTAINER_KINDS = st.sampled_from([b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta"])
PREFIXED_KINDS = st.sampled_from([(b"meta", 4), (b"stsd", 8), (b"avc1", 78), (b"hvc1", 78)])

leaves = st.builds(Box, LEAF_KINDS, st.binary(max_size=40))


def containers(children: st.SearchStrategy[Box]) -> st.SearchStrategy[Box]:
    inside = st.lists(children, max_size=4)
    plain = st.builds(lambda kind, parts: Box(kind, b"", parts), CONTAINER_KINDS, inside)
    prefixed = st.builds(lambda kind, parts: Box(kind[0], bytes(kind[1]), parts), PREFIXED_KINDS, inside)
    return plain | prefixed


trees = st.recursive(leaves, containers, max_leaves=20)


@given(st.lists(trees, max_size=4))
def test_a_tree_survives_writing_and_reading(tree: list[Box]) -> None:
    data = b"".join(bytes(box) for box in tree)
    again = parse(data)
    assert again == tree
    assert b"".join(bytes(box) for box in again) == data


@given(st.lists(trees, min_size=1, max_size=4))
def test_a_file_is_read_by_places(tree: list[Box]) -> None:
    file = io.BytesIO(b"".join(bytes(box) for box in tree))
    places = top_level(file)
    assert [place.kind for place in places] == [box.kind for box in tree]
    assert [read_box(file, place) for place in places] == tree
    assert places[-1].end == len(file.getvalue())


@given(st.binary(max_size=200))
def test_any_bytes_are_boxes_or_an_error(data: bytes) -> None:
    try:
        tree = parse(data)
    except BoxError:
        return
    assert parse(b"".join(bytes(box) for box in tree)) == tree


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0",
        b"\0\0\0\x07moov",
        b"\0\0\0\x20moov" + bytes(8),
        b"\0\0\0\x01moov",
        struct.pack(">I4sQ", 1, b"moov", 8),
    ],
)
def test_broken_boxes_are_refused(data: bytes) -> None:
    with pytest.raises(BoxError):
        parse(data)


def test_sizes_of_64_bits_and_until_the_end() -> None:
    long = struct.pack(">I4sQ", 1, b"free", 20) + b"abcd"
    last = struct.pack(">I4s", 0, b"mdat") + b"xyz"
    assert parse(long + last) == [Box(b"free", b"abcd"), Box(b"mdat", b"xyz")]
    places = top_level(io.BytesIO(long + last))
    assert [(place.start, place.size, place.header) for place in places] == [(0, 20, 16), (20, 11, 8)]


def test_a_container_that_is_none_stays_bytes() -> None:
    box = Box(b"udta", b"\0\0\0\0")  # QuickTime ends lists so
    assert parse(bytes(box)) == [Box(b"udta", b"\0\0\0\0")]


def test_free_has_its_size() -> None:
    assert [len(free(size)) for size in (8, 9, 100)] == [8, 9, 100]
    assert parse(free(30))[0].kind == b"free"


def test_v2_boxes_are_as_specified() -> None:
    stereo, sphere = v2_boxes(StereoMode.TOP_BOTTOM)
    assert bytes(stereo) == bytes.fromhex("0000000d 73743364 00000000 01")
    assert bytes(v2_boxes(StereoMode.MONO)[0])[-1] == 0
    (inside,) = parse(bytes(sphere))
    assert [box.kind for box in inside.children or ()] == [b"svhd", b"proj"]
    projection = inside.child(b"proj")
    assert projection.child(b"prhd").payload == bytes(4 + 12)
    assert projection.child(b"equi").payload == bytes(4 + 16)
    assert inside.child(b"svhd").payload.endswith(b"\0")
    with pytest.raises(BoxError):
        inside.child(b"cbmp")


def spherical_of(moov: Box) -> tuple[int, str, str]:
    """Stereo mode of V2, projection and stereo mode of V1, read from bytes as another program would."""
    (again,) = parse(bytes(moov))
    track = video_track(again)
    entry = sample_entry(track)
    stereo, sphere = entry.child(b"st3d"), entry.child(b"sv3d")
    assert sphere.child(b"proj").child(b"equi").payload == bytes(20)
    xml = next(box.payload for box in track.find_all(b"uuid") if box.payload.startswith(V1_UUID))[16:].decode()
    words = {element.tag.rpartition("}")[2]: element.text or "" for element in ElementTree.fromstring(xml)}
    return stereo.payload[4], words["ProjectionType"], words["StereoMode"]


@given(
    stereo=st.sampled_from(StereoMode),
    kind=st.sampled_from([b"avc1", b"hvc1", b"av01"]),
    inside=st.lists(
        st.builds(Box, st.sampled_from([b"avcC", b"hvcC", b"colr", b"pasp", b"btrt"]), st.binary(max_size=30))
    ),
    tracks=st.lists(st.sampled_from([b"soun", b"text", b"vide"]), max_size=4),
    extra=st.lists(leaves, max_size=3),
)
def test_what_is_written_about_the_sphere_is_read_again(
    stereo: StereoMode, kind: bytes, inside: list[Box], tracks: list[bytes], extra: list[Box]
) -> None:
    def track(handler: bytes) -> Box:
        entry = Box(kind if handler == b"vide" else b"mp4a", bytes(78), inside if handler == b"vide" else None)
        table = Box(b"stbl", b"", [Box(b"stsd", bytes(8), [entry]), *extra])
        name = Box(b"hdlr", bytes(8) + handler + bytes(13))
        return Box(b"trak", b"", [Box(b"tkhd", bytes(84)), Box(b"mdia", b"", [name, Box(b"minf", b"", [table])])])

    moov = Box(b"moov", b"", [*extra, *map(track, [*tracks, b"vide"])])
    others = [bytes(box) for box in moov.find_all(b"trak") if box is not video_track(moov)]
    add_spherical(moov, stereo)
    words = {
        StereoMode.MONO: (0, "equirectangular", "mono"),
        StereoMode.TOP_BOTTOM: (1, "equirectangular", "top-bottom"),
    }
    assert spherical_of(moov) == words[stereo]
    assert [bytes(box) for box in moov.find_all(b"trak") if box is not video_track(moov)] == others
    kinds = [box.kind for box in sample_entry(video_track(moov)).children or ()]
    assert [name for name in kinds if name not in (b"st3d", b"sv3d")] == [box.kind for box in inside]


def test_v1_box_is_as_specified() -> None:
    box = v1_box(StereoMode.TOP_BOTTOM)
    assert box.kind == b"uuid"
    assert box.payload[:16] == V1_UUID
    xml = box.payload[16:].decode()
    assert "<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType>" in xml
    assert "<GSpherical:StereoMode>top-bottom</GSpherical:StereoMode>" in xml


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A small file with room behind its index."""
    plain = media.write_silent_video(tmp_path / "plain.mp4")
    path = tmp_path / "video.mp4"
    with av.open(str(plain)) as source, av.open(str(path), "w", options={"moov_size": "20000"}) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        out.metadata["title"] = "x"
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    return path


def test_metadata_grows_into_the_room_and_moves_nothing(video: Path) -> None:
    before = video.read_bytes()
    cover = b"\xff\xd8\xff" + bytes(3_000)
    add_boxes(video, FORMATS["360stereo"], Tags(cover=cover))
    after = video.read_bytes()
    assert len(before) == len(after)
    with video.open("rb") as file:
        places = {place.kind: place for place in top_level(file)}
        moov = read_box(file, places[b"moov"])
    assert after[places[b"mdat"].start :] == before[places[b"mdat"].start :]
    track = video_track(moov)
    assert [box.kind for box in sample_entry(track).children or ()][:3] == [b"avcC", b"st3d", b"sv3d"]
    assert (track.children or [])[-1].kind == b"uuid"
    data = moov.child(b"udta").child(b"meta").child(b"ilst").child(b"covr").payload
    assert data[8:16] == bytes([0, 0, 0, 13, 0, 0, 0, 0])
    assert data[16:] == cover
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(container.streams.video[0])) == 5


def test_without_room_it_is_refused_and_not_damaged(video: Path) -> None:
    before = video.read_bytes()
    with pytest.raises(JoinError, match="room"):
        add_boxes(video, FORMATS["360mono"], Tags(cover=b"\x89PNG\r\n\x1a\n" + bytes(50_000)))
    assert video.read_bytes() == before


def test_a_moov_without_video_has_no_place_for_it() -> None:
    with pytest.raises(BoxError, match="video"):
        add_spherical(Box(b"moov", b"", [Box(b"trak", b"", [])]), StereoMode.MONO)
    with pytest.raises(BoxError):
        sample_entry(Box(b"trak", b"", []))
    assert boxes.BoxError is BoxError
