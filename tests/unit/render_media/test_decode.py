"""Songs of every type and every kind of damage."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ethereal_gui.domain import errors
from ethereal_gui.render.audio.decode import Decoded, decode_mono, decode_stereo
from ethereal_gui.render.audio.source import content_hash, read_error
from tests import media


def decode(path: Path) -> tuple[media.Signal, Decoded]:
    state = Decoded()
    return np.concatenate(list(decode_mono(path, state))), state


@pytest.mark.parametrize("suffix", list(media.CODECS))
def test_every_type_decodes_with_its_sound_at_the_right_time(tmp_path: Path, suffix: str) -> None:
    rate = 48_000 if suffix == "opus" else 44_100
    path = media.write_audio(tmp_path / f"a.{suffix}", media.clicks(3.0, [1.0, 2.0], rate=rate), rate)
    mono, state = decode(path)
    stereo = np.concatenate(list(decode_stereo(path)), axis=1)
    assert state.samples == len(mono)
    assert state.seconds == pytest.approx(3.0, abs=0.03)
    for signal, signal_rate in ((mono, state.rate), (stereo[0], 48_000), (stereo[1], 48_000)):
        for second in (1.0, 2.0):
            part = np.abs(signal[round((second - 0.5) * signal_rate) : round((second + 0.5) * signal_rate)])
            assert np.argmax(part) / signal_rate == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("rate", [8_000, 22_050, 32_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_number_of_channels(tmp_path: Path, rate: int, channels: int) -> None:
    path = media.write_audio(tmp_path / "a.wav", media.tone(1.0, 440, 0.5, rate), rate, channels=channels)
    mono, state = decode(path)
    stereo = np.concatenate(list(decode_stereo(path)), axis=1)
    assert state.rate == (rate if rate == 32_000 else 48_000)
    assert state.seconds == pytest.approx(1.0, abs=0.002)
    assert stereo.shape[1] == pytest.approx(48_000, abs=100)
    assert np.abs(stereo).max() < 0.99  # nothing is clipped
    if channels <= 2:
        for signal in (mono, stereo[0], stereo[1]):
            assert np.sqrt(np.mean(signal[2_000:-2_000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("suffix", ["wav", "flac", "opus", "m4a"])
def test_eight_channels_of_every_layout_in_memory(tmp_path: Path, suffix: str) -> None:
    rate = 48_000 if suffix == "opus" else 44_100
    path = media.write_audio(tmp_path / f"a.{suffix}", media.tone(1.0, rate=rate), rate, channels=8)
    mono, state = decode(path)
    assert state.seconds == pytest.approx(1.0, abs=0.05)
    assert np.abs(mono).max() > 0.1
    assert sum(block.shape[1] for block in decode_stereo(path)) == pytest.approx(48_000, abs=2_000)


def test_a_song_that_changes_its_rate_is_decoded_to_its_end(tmp_path: Path) -> None:
    parts = [
        media.write_audio(tmp_path / f"{n}.mp3", media.tone(1.0, rate=rate), rate).read_bytes()
        for n, rate in enumerate((44_100, 48_000, 44_100))
    ]
    path = tmp_path / "all.mp3"
    path.write_bytes(b"".join(parts))
    mono, state = decode(path)
    stereo = np.concatenate(list(decode_stereo(path)), axis=1)
    assert [len(mono) / state.rate, stereo.shape[1] / 48_000] == pytest.approx([3.0, 3.0], abs=0.2)
    assert np.std(mono.reshape(-1)[len(mono) // 3 : len(mono) * 2 // 3]) > 0.01


def test_opposite_channels_do_not_cancel_out(tmp_path: Path) -> None:
    tone = media.tone(1.0)
    mono, _ = decode(media.write_audio(tmp_path / "a.wav", np.stack([tone, -tone])))
    assert np.abs(mono).max() > 0.03


def test_what_is_not_a_number_becomes_silence_and_infinity_is_clipped(tmp_path: Path) -> None:
    signal = media.tone(1.0)
    signal[1_000:2_000] = np.nan
    signal[3_000] = np.inf
    signal[4_000] = 1e30
    path = media.write_float_wav(tmp_path / "a.wav", signal)
    mono, _ = decode(path)
    assert np.isfinite(mono).all()
    assert np.all(mono[1_000:2_000] == 0)
    assert np.abs(mono).max() == 1.0
    assert np.isfinite(np.concatenate(list(decode_stereo(path)), axis=1)).all()


def test_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    plain = media.write_audio(tmp_path / "a.mp3", media.tone(1.0))
    path = tmp_path / os.fsdecode(b"na\xffme.mp3")
    try:
        path.write_bytes(plain.read_bytes())
    except OSError:
        pytest.skip("this file system takes only valid names")
    assert decode(path)[1].seconds == pytest.approx(1.0, abs=0.01)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    song = Path(__file__).parents[3] / "resources" / "audio" / "first-light.mp3"
    assert decode(song)[1].seconds == pytest.approx(27.3, abs=0.1)


def test_a_header_that_lies_is_not_believed(tmp_path: Path) -> None:
    path = media.write_audio(tmp_path / "a.wav", media.tone(2.0))
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    for size in (b"\xff\xff\xff\xff", b"\0\0\0\0", (50_000_000).to_bytes(4, "little")):
        data[at : at + 4] = size
        path.write_bytes(data)
        assert decode(path)[1].seconds == pytest.approx(2.0, abs=0.001)


NOISE = np.random.default_rng(0).integers(0, 256, 100_000, dtype=np.uint8).tobytes()


def write(data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "bad.mp3"
        path.write_bytes(data)
        return path

    return make


def cut(suffix: str, part: float) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = media.write_audio(folder / f"cut.{suffix}", media.noise(4.0))
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
        return path

    return make


def scrambled(folder: Path) -> Path:
    path = media.write_audio(folder / "scrambled.mp3", media.noise(4.0))
    data = bytearray(path.read_bytes())
    data[len(data) // 10 :] = NOISE[: len(data) - len(data) // 10]
    path.write_bytes(data)
    return path


def only_a_picture(folder: Path) -> Path:
    return media.write_silent_video(folder / "silent.mp4")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda folder: folder / "gone.mp3", errors.FileMissingError),
        (lambda folder: folder, errors.NotAudioError),
        (write(b""), errors.EmptyFileError),
        (write(b"hi"), errors.NotAudioError),
        (write(b"la la la\n" * 1_000), errors.NotAudioError),
        (write(NOISE), errors.NotAudioError),
        (write(b"%PDF-1.7\n" + NOISE), errors.NotAudioError),
        (write(b"ffconcat version 1.0\nfile /etc/passwd\n"), errors.NotAudioError),
        (write(b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsong.mp3\n"), errors.NotAudioError),
        (only_a_picture, errors.NoAudioStreamError),
        (cut("mp3", 0.3), errors.DamagedAudioError),
        (cut("flac", 0.3), errors.DamagedAudioError),
        (cut("m4a", 0.9), errors.DamagedAudioError),  # its index is at the end
        (cut("wav", 0.00005), errors.DamagedAudioError),
        (scrambled, errors.DamagedAudioError),
    ],
)
def test_bad_files_say_what_they_are(
    tmp_path: Path, make: Callable[[Path], Path], error: type[errors.InputError]
) -> None:
    path = make(tmp_path)
    with pytest.raises(errors.InputError) as caught:
        decode(path)
    assert type(caught.value) is error
    assert path.name in caught.value.message
    assert caught.value.hint
    assert not caught.value.retryable


@pytest.mark.parametrize("suffix", ["mp3", "flac", "aiff"])
def test_a_file_that_breaks_off_late_is_used_as_far_as_it_goes(tmp_path: Path, suffix: str) -> None:
    assert 2.8 < decode(cut(suffix, 0.75)(tmp_path))[1].seconds < 3.2


def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "mine.mp3"
    assert type(read_error(path, PermissionError(13, "no"))) is errors.FileUnreadableError
    if os.geteuid() == 0:
        return  # root may read everything
    media.write_audio(path, media.tone(0.5)).chmod(0)
    with pytest.raises(errors.FileUnreadableError, match=r"mine\.mp3"):
        decode(path)


def test_a_song_of_silence_decodes(tmp_path: Path) -> None:
    mono, _ = decode(media.write_audio(tmp_path / "a.wav", media.silence(1.0)))
    assert not mono.any()


def test_the_hash_goes_by_the_bytes(tmp_path: Path) -> None:
    for name, data in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / name).write_bytes(data)
    a, b, c = (content_hash(tmp_path / name) for name in "abc")
    assert a == b != c
    with pytest.raises(errors.EmptyFileError):
        content_hash(write(b"")(tmp_path))
