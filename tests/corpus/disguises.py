"""What is no song, lists that name other files, tags and covers that ask for too much."""

import base64
import gzip
import io
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import mutagen.flac
import mutagen.mp4

from tests.corpus.sounds import song
from tests.corpus.specimen import Family, Outcome, Specimen, dice, id3, png

VIDEO, ERROR, EITHER = Outcome.VIDEO, Outcome.ERROR, Outcome.EITHER


def make(root: Path) -> list[Specimen]:
    """All of them below ``root``."""
    families = [_no_audio(root), _lists(root), _tagged(root), _covered(root)]
    return [specimen for family in families for specimen in family.specimens]


def _no_audio(root: Path) -> Family:
    family = Family(root, "no audio")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("song.mp3", bytes(10_000))
    for name, data in {
        "empty": b"",
        "one-byte": b"I",
        "words": b"la la la " * 10_000,
        "zeros": bytes(100_000),
        "ones": b"\xff" * 100_000,
        "noise": dice("noise").randbytes(300_000),
        "picture": png(64, 64, bytes(64 * 193)),
        "archive": archive.getvalue(),
        "packed": gzip.compress(bytes(1_000_000), mtime=0),
        "page": b"<!doctype html><html><body><audio src='file:///etc/passwd'></audio></body></html>",
        "program": b"\x7fELF\x02\x01\x01" + dice("elf").randbytes(20_000),
        "script": b"#!/bin/sh\ntouch /tmp/owned\n",
        "document": b"%PDF-1.7\n" + dice("pdf").randbytes(5_000),
        "drawing": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>",
        "json": json.dumps({"a": [1] * 1_000}).encode(),
        "subtitles": b"1\n00:00:00,000 --> 24:00:00,000\nla la la\n",
        "sync-words": b"\xff\xfb\x90\x64" * 20_000,
    }.items():
        for suffix in (".mp3", ".wav") if len(data) > 50_000 else (".mp3",):
            family.put(name + suffix, data, ERROR)
    return family


def _lists(root: Path) -> Family:
    """Each of them names a real song beside it, a file of the system, or an address."""
    family = Family(root, "lists")
    real = song(root / "secret.wav").resolve()
    for name, text in {
        "plain.m3u": f"#EXTM3U\n{real}\n",
        "stream.m3u8": f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{real}\n#EXT-X-ENDLIST\n",
        "address.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "itself.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nitself.m3u8\n#EXT-X-ENDLIST\n",
        "list.pls": f"[playlist]\nFile1={real}\nNumberOfEntries=1\n",
        "list.cue": f'FILE "{real}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
        "list.ffconcat": f"ffconcat version 1.0\nfile '{real}'\nfile /etc/passwd\n",
        "list.xspf": f"<playlist><trackList><track><location>file://{real}</location></track></trackList></playlist>",
        "list.asx": f"<asx version='3.0'><entry><ref href='{real}'/></entry></asx>",
        "list.mpd": f"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{real}</BaseURL></MPD>",
        "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        "images.txt": "%03d.png\n",
        "bomb.xml": "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>",
    }.items():
        family.put(name, text.encode(), ERROR)
        family.put(f"{name}.mp3", text.encode(), ERROR)
    return family


def _tagged(root: Path) -> Family:
    family = Family(root, "tagged")
    sound = song(root / "tagged.mp3").read_bytes()
    words = {
        "long": b"\0" + b"x" * 1_000_000,
        "lines": b"\0a\nb\r\n\x00c\x1b[31m",
        "braces": b"\0{n}{song}{0}%s%d",
        "path": b"\0../../../../etc/passwd",
        "right-to-left": "\x03‮gnos‬".encode(),
        "half-utf16": b"\x01\xff\xfea",
        "surrogates": b"\x01\xff\xfe\x00\xd8\x00\xd8",
        "no-encoding": b"\x7fabc",
        "nothing": b"",
    }
    for name, data in words.items():
        family.put(f"title-{name}.mp3", id3((b"TIT2", data), (b"TPE1", data)) + sound, VIDEO)
    family.put("tag-longer-than-file.mp3", id3((b"TIT2", b"\0a"), claimed=200 << 20) + sound, EITHER)
    family.put("tags-many.mp3", id3((b"TIT2", b"\0a")) * 3_000 + sound, EITHER)
    family.put("frames-many.mp3", id3(*[(b"TXXX", b"\0a\0b")] * 30_000) + sound, VIDEO)
    family.put(
        "frame-longer-than-tag.mp3",
        id3((b"TIT2", b"")).replace(b"\0\0\0\0\0\0", b"\x7f\xff\xff\xff\0\0") + sound,
        VIDEO,
    )
    family.put(
        "ape-lie.mp3", sound + b"APETAGEX" + struct.pack("<IIII", 2_000, 0x7FFFFFFF, 0x7FFFFFFF, 0) + bytes(8), EITHER
    )
    flac = song(root / "tagged.flac").read_bytes()
    lie = b"\x04" + (12).to_bytes(3, "big") + struct.pack("<III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
    family.put("comments-lie.flac", flac[:42] + lie + flac[42:], EITHER)
    blocks = b"".join(b"\x01" + (60_000).to_bytes(3, "big") + bytes(60_000) for _ in range(200))
    family.put("padding-much.flac", flac[:4] + bytes([flac[4] & 0x7F]) + flac[5:42] + blocks + flac[42:], VIDEO)
    wave = song(root / "tagged.wav").read_bytes()
    info = b"LIST" + struct.pack("<I", 0x7FFFFFF0) + b"INFOINAM" + struct.pack("<I", 0x7FFFFF00) + b"title"
    family.put("list-lie.wav", wave[:12] + info + wave[12:], EITHER)
    for path in root.glob("tagged.*"):
        path.unlink()
    return family


def _covered(root: Path) -> Family:
    family = Family(root, "covered")
    bombs = {
        "enormous": png(60_000, 60_000),
        "large-and-empty": png(8_000, 7_900, bytes(8_000 * 3 + 1) * 7_900),
        "no-pixels": png(0, 0),
        "cut": png(500, 500, bytes(501)),
        "noise": b"\x89PNG\r\n\x1a\n" + dice("png").randbytes(100_000),
        "jpeg-noise": b"\xff\xd8\xff\xe0" + dice("jpeg").randbytes(100_000),
        "gif": b"GIF89a" + b"\xff" * 1_000,
        "script": b"<svg onload='alert(1)'/>",
        "nothing": b"",
    }
    for name, data in bombs.items():
        tags: Any = mutagen.flac.FLAC(song(family.at(f"{name}.flac", VIDEO)))  # type: ignore[no-untyped-call]
        picture: Any = mutagen.flac.Picture()  # type: ignore[no-untyped-call]
        picture.data, picture.mime = data, "image/png"
        tags.add_picture(picture)
        tags.save()
    sound = song(root / "covered.mp3").read_bytes()
    for name, data in bombs.items():
        family.put(f"{name}.mp3", id3((b"APIC", b"\0image/png\0\x03\0" + data)) + sound, VIDEO)
    family.put("address.mp3", id3((b"APIC", b"\0-->\0\x03\0http://127.0.0.1:9/a.png")) + sound, VIDEO)
    family.put("hundreds.mp3", id3(*[(b"APIC", b"\0image/png\0\x03\0" + png(9, 9))] * 500) + sound, VIDEO)
    m4a: Any = mutagen.mp4.MP4(song(family.at("enormous.m4a", VIDEO)))  # type: ignore[no-untyped-call]
    m4a["covr"] = [mutagen.mp4.MP4Cover(bombs["enormous"])]  # type: ignore[no-untyped-call]
    m4a.save()
    ogg: Any = mutagen.File(song(family.at("nonsense.ogg", VIDEO)))
    ogg["metadata_block_picture"] = [base64.b64encode(b"\xff" * 64).decode(), "no base64 \u2603"]
    ogg.save()
    # A picture of 200 MB that is a hole in the file
    path, size = family.at("holes.mp3", VIDEO), 200 << 20
    with path.open("wb") as file:
        file.write(
            id3((b"APIC", b""), claimed=size + 10)[:10] + b"APIC" + struct.pack(">I", size) + b"\0\0\0image/png\0\3\0"
        )
        file.seek(20 + size, os.SEEK_SET)
        file.write(sound)
    (root / "covered.mp3").unlink()
    return family
