"""Spherical metadata: V2 boxes (st3d, sv3d) and the V1 XML in a uuid box, as headsets and YouTube read them.

Source: Spherical Video V2 RFC and Spherical Video RFC, github.com/google/spatial-media/tree/master/docs.
"""

import struct

from ethereal_gui.domain.formats import OutputFormat, Projection, StereoMode
from ethereal_gui.render.video.boxes import Box, BoxError

V1_UUID = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
SOURCE = "Ethereal"

_FULL_BOX = bytes(4)  # version 0, no flags
_STEREO_MODES = {StereoMode.MONO: 0, StereoMode.TOP_BOTTOM: 1}
_V1_STEREO = {
    StereoMode.MONO: "mono",
    StereoMode.TOP_BOTTOM: "top-bottom",
}
_V1_XML = (
    '<?xml version="1.0"?>'
    '<rdf:SphericalVideo xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/">'
    "<GSpherical:Spherical>true</GSpherical:Spherical>"
    "<GSpherical:Stitched>true</GSpherical:Stitched>"
    "<GSpherical:StitchingSoftware>{source}</GSpherical:StitchingSoftware>"
    "<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType>"
    "<GSpherical:StereoMode>{stereo}</GSpherical:StereoMode>"
    "</rdf:SphericalVideo>"
)


def is_spherical(output_format: OutputFormat) -> bool:
    """Whether videos of this format carry spherical metadata."""
    return output_format.projection is Projection.EQUIRECTANGULAR


def v2_boxes(stereo: StereoMode) -> list[Box]:
    """``st3d`` and ``sv3d`` for a whole equirectangular sphere that looks straight ahead."""
    stereo_box = Box(b"st3d", _FULL_BOX + bytes([_STEREO_MODES[stereo]]))
    header = Box(b"svhd", _FULL_BOX + SOURCE.encode() + b"\0")
    pose = Box(b"prhd", _FULL_BOX + struct.pack(">iii", 0, 0, 0))
    bounds = Box(b"equi", _FULL_BOX + struct.pack(">IIII", 0, 0, 0, 0))
    return [stereo_box, Box(b"sv3d", b"", [header, Box(b"proj", b"", [pose, bounds])])]


def v1_box(stereo: StereoMode) -> Box:
    """The ``uuid`` box with the XML of version 1."""
    return Box(b"uuid", V1_UUID + _V1_XML.format(source=SOURCE, stereo=_V1_STEREO[stereo]).encode())


def add_spherical(moov: Box, stereo: StereoMode) -> None:
    """Put both versions into the first video track of ``moov``.

    Raises:
        BoxError: there is no video track.
    """
    track = video_track(moov)
    entry = sample_entry(track)
    # Behind the codec's configuration box, in front of what else there may be.
    inside, codecs = entry.children or [], (b"avcC", b"hvcC", b"av1C")
    at = next((i + 1 for i, box in enumerate(inside) if box.kind in codecs), 0)
    entry.children = [*inside[:at], *v2_boxes(stereo), *inside[at:]]
    track.children = [*(track.children or []), v1_box(stereo)]


def video_track(moov: Box) -> Box:
    """The first track of ``moov`` whose handler is video.

    Raises:
        BoxError: there is none.
    """
    for track in moov.find_all(b"trak"):
        handler = track.find(b"mdia", b"hdlr")
        if handler is not None and handler.payload[8:12] == b"vide":
            return track
    raise BoxError("no video track")


def sample_entry(track: Box) -> Box:
    """The track's first sample entry (``avc1``, ``hvc1``, ...).

    Raises:
        BoxError: there is none.
    """
    table = track.find(b"mdia", b"minf", b"stbl", b"stsd")
    if table is None or not table.children or table.children[0].children is None:
        raise BoxError("no sample entry")
    return table.children[0]
