"""Sound files: whole and damaged ones of every type, headers that lie, samples, rates and channels of every kind."""

import struct
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream

from tests import media
from tests.corpus.specimen import Family, Outcome, Specimen, dice, flipped, wav

VIDEO, ERROR, EITHER = Outcome.VIDEO, Outcome.ERROR, Outcome.EITHER
TYPES = tuple(media.CODECS)
SECONDS = 0.6


def rate_of(kind: str) -> int:
    """A rate that the type can have."""
    return 48_000 if kind == "opus" else 44_100


def song(path: Path, seconds: float = SECONDS) -> Path:
    """A short song of the type that the suffix names."""
    rate = rate_of(path.suffix[1:])
    return media.write_audio(path, media.tone(seconds, rate=rate) + media.noise(seconds, 0.1, rate), rate)


def pcm(seconds: float = SECONDS, rate: int = 44_100, channels: int = 1) -> bytes:
    """16-bit samples, interleaved."""
    return np.repeat((media.tone(seconds, rate=rate) * 32_767).astype("<i2"), channels).tobytes()


def make(root: Path) -> list[Specimen]:
    """All of them below ``root``."""
    families = [_damaged(root), _lying(root), _sampled(root), _shaped(root), _contained(root)]
    return [specimen for family in families for specimen in family.specimens]


def _damaged(root: Path) -> Family:
    family = Family(root, "damaged")
    for kind, other in zip(TYPES, (*TYPES[1:], TYPES[0]), strict=True):
        data = song(family.at(f"whole.{kind}", VIDEO)).read_bytes()
        for part in (0.9, 0.5, 0.1):
            family.put(f"cut-{part}.{kind}", data[: int(len(data) * part)], EITHER)
        family.put(f"cut-64.{kind}", data[:64], EITHER)
        for size in (16, 4):
            family.put(f"cut-{size}.{kind}", data[:size], ERROR)
        for count in (5, 50, 500, 5_000):
            family.put(f"flipped-{count}.{kind}", flipped(data, count, kind), EITHER)
        family.put(f"flipped-head.{kind}", flipped(data, 6, kind, within=64), EITHER)
        third = len(data) // 3
        family.put(f"hole.{kind}", data[:third] + bytes(third) + data[2 * third :], EITHER)
        family.put(f"tail.{kind}", data + dice(kind).randbytes(50_000), EITHER)
        family.put(f"head.{kind}", dice(kind).randbytes(2_000) + data, EITHER)
        family.put(f"twice.{kind}", data + data, EITHER)
        family.put(f"misnamed-{kind}.{other}", data, VIDEO)
    return family


def _lying(root: Path) -> Family:
    family = Family(root, "lying")
    sound, day = pcm(), 86_400 * 44_100
    for name, lie in {
        "day-long": {"claimed": day * 2 & 0xFFFFFFFF},
        "endless": {"claimed": 0xFFFFFFFF},
        "nothing": {"claimed": 0},
        "megahertz": {"rate": 1_000_000},
        "half-a-gigahertz": {"rate": 536_915_012},
        "gigahertz": {"rate": 0xFFFFFFFF},
        "no-hertz": {"rate": 0},
        "one-hertz": {"rate": 1},
        "channels-64": {"channels": 64},
        "channels-65535": {"channels": 65_535},
        "channels-0": {"channels": 0},
        "bits-0": {"bits": 0},
        "bits-7": {"bits": 7},
        "bits-4096": {"bits": 4_096},
        "align-0": {"align": 0},
        "align-65535": {"align": 65_535},
        "kind-unknown": {"kind": 0x4242},
        "kind-mp3": {"kind": 0x55},
        "kind-float16": {"kind": 3},
    }.items():
        family.put(
            f"{name}.wav", wav(sound, **lie), ERROR if name in ("no-hertz", "one-hertz", "half-a-gigahertz") else EITHER
        )
    _lying_flac(family, song(root / "lying.flac").read_bytes())
    _lying_m4a(family, song(root / "lying.m4a").read_bytes())
    aiff = song(root / "lying.aiff").read_bytes()
    at = aiff.index(b"COMM") + 8
    for name, place, other in (
        ("rate-nan", at + 8, b"\x7f\xff" + b"\xff" * 8),
        ("rate-huge", at + 8, b"\x40\x3e" + b"\xff" * 8),
        ("rate-minus", at + 8, b"\xc0\x0e\xac\x44" + bytes(6)),
        ("frames", at + 2, b"\xff" * 4),
        ("channels", at, b"\xff\xff"),
        ("bits", at + 6, b"\0\0"),
    ):
        family.put(f"{name}.aiff", aiff[:place] + other + aiff[place + len(other) :], EITHER)
    ogg = bytearray(song(root / "lying.opus").read_bytes())
    ogg[ogg.index(b"OpusHead") + 10 : ogg.index(b"OpusHead") + 12] = b"\xff\xff"
    family.put("preskip.opus", bytes(ogg), EITHER)
    mp3 = song(root / "lying.mp3").read_bytes()
    xing = max(mp3.find(b"Info"), mp3.find(b"Xing"))
    family.put("day-long.mp3", mp3[: xing + 8] + struct.pack(">I", 3_300_000) + mp3[xing + 12 :], EITHER)
    for path in root.glob("lying.*"):
        path.unlink()
    return family


def _lying_flac(family: Family, flac: bytes) -> None:
    # STREAMINFO: 20 bits of rate, 3 of channels, 5 of bits, 36 of samples
    fields = int.from_bytes(flac[18:26], "big")
    for name, value in {
        "day-long": fields & ~0xFFFFFFFFF | 86_400 * 44_100,
        "endless": fields | 0xFFFFFFFFF,
        "no-hertz": fields & (1 << 44) - 1,
        "megahertz": fields | 0xFFFFF << 44,
        "channels-8": fields | 7 << 41,
    }.items():
        family.put(f"{name}.flac", flac[:18] + value.to_bytes(8, "big") + flac[26:], EITHER)
    family.put("block-size.flac", flac[:8] + b"\xff\xff\xff\xff" + flac[12:], EITHER)


def _lying_m4a(family: Family, m4a: bytes) -> None:
    for name in ("mvhd", "mdhd", "tkhd"):
        place = m4a.index(name.encode()) + (24 if name == "tkhd" else 20)
        family.put(f"day-long-{name}.m4a", m4a[:place] + b"\x7f\xff\xff\xff" + m4a[place + 4 :], EITHER)
    for name in ("stts", "stsz", "stco", "stsc"):
        place = m4a.index(name.encode()) + 8
        family.put(f"entries-{name}.m4a", m4a[:place] + b"\x7f\xff\xff\xff" + m4a[place + 4 :], EITHER)
    place = m4a.index(b"moov") - 4
    family.put("box-size.m4a", m4a[:place] + b"\xff\xff\xff\xf0" + m4a[place + 4 :], EITHER)
    family.put("nested.m4a", m4a[: place - 4] + b"".join(b"\0\xff\xff\xffmoov" for _ in range(2_000)), ERROR)


def _sampled(root: Path) -> Family:
    family = Family(root, "sampled")
    count = round(SECONDS * 44_100)
    floats = {
        "nan": np.full(count, np.nan),
        "some-nan": np.where(np.arange(count) % 100, media.tone(SECONDS), np.nan),
        "infinite": np.where(np.arange(count) % 2, np.inf, -np.inf),
        "enormous": media.tone(SECONDS).astype(np.float64) * 3e38,
        "denormal": np.full(count, 1e-42),
        "full-scale": np.sign(media.tone(SECONDS)),
        "above-full-scale": media.tone(SECONDS) * 20,
        "direct-current": np.full(count, 0.8),
        "silence": np.zeros(count),
        "one-impulse": np.eye(1, count, 100)[0],
        "quiet": media.tone(SECONDS) * 1e-6,
    }
    for name, values in floats.items():
        media.write_float_wav(family.at(f"{name}.wav", VIDEO), values.astype(np.float32))
    opposite = np.stack([media.tone(SECONDS), -media.tone(SECONDS)])
    media.write_audio(family.at("opposite.wav", VIDEO), opposite)
    for kind in TYPES:
        rate = rate_of(kind)
        media.write_audio(family.at(f"10ms.{kind}", EITHER), media.tone(0.01, rate=rate), rate)
        media.write_audio(family.at(f"silence.{kind}", VIDEO), media.silence(SECONDS, rate), rate)
    family.put("no-sample.wav", wav(b""), ERROR)
    family.put("half-a-sample.wav", wav(b"\1"), ERROR)
    family.put("one-sample.wav", wav(b"\1\1"), EITHER)
    return family


def _shaped(root: Path) -> Family:
    family = Family(root, "shaped")
    for channels in range(1, 9):
        family.put(f"channels-{channels}.wav", wav(pcm(channels=channels), channels=channels), VIDEO)
    for kind in ("wav", "flac", "opus", "m4a"):
        for channels in (1, 6, 8):
            rate = rate_of(kind)
            path = family.at(f"layout-{channels}.{kind}", VIDEO)
            media.write_audio(path, media.tone(SECONDS, rate=rate), rate, channels=channels)
    for rate in (8_000, 11_025, 16_000, 22_050, 32_000, 48_000, 88_200, 96_000, 176_400, 192_000):
        media.write_audio(family.at(f"rate-{rate}.wav", VIDEO), media.tone(SECONDS, rate=rate), rate)
    for kind, rate in (("mp3", 8_000), ("mp3", 48_000), ("flac", 192_000), ("ogg", 8_000), ("m4a", 96_000)):
        media.write_audio(family.at(f"rate-{rate}.{kind}", VIDEO), media.tone(SECONDS, rate=rate), rate)
    tone = media.tone(SECONDS).astype(np.float64)
    for name, data, bits, code in (
        ("unsigned-8", (tone * 127 + 128).astype(np.uint8).tobytes(), 8, 1),
        ("signed-24", (tone * 8e6).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes(), 24, 1),
        ("signed-32", (tone * 2e9).astype("<i4").tobytes(), 32, 1),
        ("float-64", tone.astype("<f8").tobytes(), 64, 3),
        ("a-law", dice("a").randbytes(26_000), 8, 6),
        ("mu-law", dice("mu").randbytes(26_000), 8, 7),
    ):
        family.put(f"{name}.wav", wav(data, bits=bits, kind=code), VIDEO)
    return family


def _contained(root: Path) -> Family:
    """Sound in other containers, streams of several kinds, files that change in their middle."""
    family = Family(root, "contained")
    first, second = song(root / "a.ogg").read_bytes(), root / "b.ogg"
    media.write_audio(second, media.tone(SECONDS, rate=22_050), 22_050)
    family.put("chained.ogg", first + song(root / "c.ogg").read_bytes(), VIDEO)
    family.put("chained-other-rate.ogg", first + second.read_bytes(), EITHER)
    mp3 = song(root / "c.mp3").read_bytes()
    media.write_audio(root / "d.mp3", media.tone(SECONDS, rate=22_050), 22_050, channels=1)
    family.put("changing.mp3", mp3 + (root / "d.mp3").read_bytes(), EITHER)
    for name, container in (("a.mka", "matroska"), ("a.aac", "adts"), ("a.caf", "caf"), ("a.mov", "mov")):
        codec = "pcm_s16le" if container in ("matroska", "caf") else "aac"
        with av.open(str(family.at(name, VIDEO)), "w", format=container) as out:
            stream = out.add_stream(codec, rate=44_100, layout="stereo")
            assert isinstance(stream, AudioStream)
            frame = av.AudioFrame.from_ndarray(np.tile(media.tone(SECONDS), (2, 1)), "fltp", "stereo")
            frame.sample_rate = 44_100
            converted = av.AudioResampler(stream.codec_context.format, "stereo", 44_100).resample(frame)
            for part in converted:
                out.mux(stream.encode(part))
            out.mux(stream.encode(None))
    media.write_silent_video(family.at("silent.mp4", ERROR))
    for path in (root / "a.ogg", second, root / "c.ogg", root / "c.mp3", root / "d.mp3"):
        path.unlink()
    return family
