"""Features: at the right time, relative to the song, still in silence, out of the cache."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from ethereal_gui.domain import errors
from ethereal_gui.render.audio import analyse as analyse_module
from ethereal_gui.render.audio import cache
from ethereal_gui.render.audio.analyse import analyse
from ethereal_gui.render.audio.beats import Beats, track_beats
from ethereal_gui.render.audio.envelopes import Percentiles, attack, release
from ethereal_gui.render.audio.features import AudioFeatures
from ethereal_gui.render.audio.spectrum import ROW_RATE, SpectrumAnalyser, band_centres
from tests import media

CURVES = [field.name for field in fields(AudioFeatures) if field.name not in ("fps", "duration", "frames")]


def features(folder: Path, signal: media.Signal, fps: int = 60, name: str = "song.wav") -> AudioFeatures:
    return analyse(media.write_audio(folder / name, signal), fps, folder / "cache")


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_shapes_ranges_and_duration(tmp_path: Path, fps: int) -> None:
    got = features(tmp_path, media.noise(2.51), fps)
    assert got.duration == pytest.approx(2.51, abs=1e-5)
    assert got.frames == int(np.ceil(got.duration * fps))
    for name in CURVES:
        values = getattr(got, name)
        assert values.shape == ((got.frames, 32) if name == "bands" else (got.frames,)), name
        assert values.dtype == np.float32
        assert type(values) is np.ndarray
        assert not values.flags.writeable
        assert values.flags.c_contiguous
        assert values.flags.aligned
        assert np.isfinite(values).all()
        assert values.min() >= 0.0
        assert values.max() <= 1.0 + 1e-6


@pytest.mark.parametrize("suffix", ["wav", "mp3", "m4a"])
def test_an_impulse_is_in_the_row_of_its_time(tmp_path: Path, suffix: str) -> None:
    times = np.array([1.0, 2.25, 3.5])
    path = media.write_audio(tmp_path / f"a.{suffix}", media.clicks(5.0, list(times)))
    got = analyse(path, 60, tmp_path / "cache")
    for time in times:
        row = round(time * 60)
        near = slice(row - 20, row + 21)
        assert abs(int(np.argmax(got.onset[near])) - 20) <= 1
        assert abs(int(np.argmax(got.treble[near])) - 20) <= 2
        assert abs(int(np.argmax(got.bass[near])) - 20) <= 3
        assert got.onset[row - 6] < 0.05
        assert 0.01 < got.onset[row + 6] < 0.6
        assert got.onset[row + 20] < 0.05


@pytest.mark.parametrize("rate", [32_000, 44_100, 48_000])
def test_raw_rows_are_centred_at_every_rate(rate: int) -> None:
    signal = media.silence(2.0, rate)
    signal[rate] = 1.0
    analyser = SpectrumAnalyser(rate)
    rows = [*analyser.add(signal[: rate // 3]), *analyser.add(signal[rate // 3 :]), *analyser.finish(len(signal), 121)]
    loudness = np.concatenate([part.loudness for part in rows])
    low = np.concatenate([part.bands for part in rows])[:, 3]
    assert len(loudness) == 121
    for curve in (loudness, low):
        assert np.argmax(curve) == 60
        assert curve[59] == pytest.approx(curve[61], rel=0.2)


@pytest.mark.parametrize("hertz", [55.0, 110.0, 440.0, 1_760.0, 7_040.0])
def test_a_tone_is_in_its_own_band(hertz: float) -> None:
    signal = media.tone(1.0, hertz)
    analyser = SpectrumAnalyser(44_100)
    rows = [*analyser.add(signal), *analyser.finish(len(signal), 60)]
    bands = np.concatenate([part.bands for part in rows])[20:40].mean(axis=0)
    nearest = int(np.argmin(np.abs(np.log(band_centres() / hertz))))
    assert abs(int(np.argmax(bands)) - nearest) <= 1
    far = np.abs(np.arange(32) - nearest) > 4
    assert bands[far].max() < bands.max() / 300


def test_blocks_of_any_size_give_the_same_rows() -> None:
    signal = media.noise(3.0)
    results = []
    for block in (700, 44_100, 500_000):
        analyser = SpectrumAnalyser(44_100)
        rows = [raw for start in range(0, len(signal), block) for raw in analyser.add(signal[start : start + block])]
        rows += analyser.finish(len(signal), 180)
        results.append(np.concatenate([raw.bands for raw in rows]))
    for other in results[1:]:
        np.testing.assert_allclose(results[0], other, rtol=1e-3, atol=1e-9)


def test_a_click_track_has_its_tempo_and_its_beats(tmp_path: Path) -> None:
    got = features(tmp_path, media.click_track(20.0, 128.0, offset=0.3))
    beats = np.arange(0.3, 19.5, 60 / 128)
    rows = np.round(beats * 60).astype(int)
    distance = np.minimum(got.beat_phase[rows], 1 - got.beat_phase[rows])
    assert np.median(distance) < 0.05
    assert distance.max() < 0.12
    halfway = np.round((beats[:-1] + 30 / 128) * 60).astype(int)
    assert np.abs(got.beat_phase[halfway] - 0.5).max() < 0.12
    assert got.beat[rows + 1].mean() > 0.7
    assert got.beat[halfway].max() < 0.4


@pytest.mark.parametrize("bpm", [72.0, 100.0, 150.0])
def test_tempos(bpm: float) -> None:
    rows = 30 * ROW_RATE
    onset = np.zeros(rows, np.float32)
    onset[np.round(np.arange(0.5, 29, 60 / bpm) * ROW_RATE).astype(int)] = 1.0
    got = track_beats(onset, ROW_RATE)
    assert np.median(np.diff(got.times)) == pytest.approx(60 / bpm, rel=0.02)
    assert got.confidence.mean() > 0.7


def test_a_change_of_tempo_is_followed() -> None:
    onset = np.zeros(60 * ROW_RATE, np.float32)
    times = np.concatenate([np.arange(0, 30, 60 / 90), np.arange(30, 59, 60 / 140)])
    onset[np.round(times * ROW_RATE).astype(int)] = 1.0
    got = track_beats(onset, ROW_RATE)
    intervals = np.diff(got.times)
    assert np.median(intervals[got.times[:-1] < 22]) == pytest.approx(60 / 90, rel=0.03)
    assert np.median(intervals[got.times[:-1] > 38]) == pytest.approx(60 / 140, rel=0.03)


def test_without_beats_nothing_pulses(tmp_path: Path) -> None:
    got = features(tmp_path, media.noise(15.0))
    assert got.beat.mean() < 0.05
    assert got.onset.mean() < 0.2
    phase, pulse = Beats(np.zeros(0), np.zeros(0)).curves(10, 30.0)
    assert not phase.any()
    assert not pulse.any()


def test_30_and_60_frames_a_second_agree(tmp_path: Path) -> None:
    path = media.write_audio(tmp_path / "a.wav", media.click_track(8.0, 120.0) + media.tone(8.0, 90.0, 0.2))
    slow, fast = (analyse(path, fps, tmp_path / "cache") for fps in (30, 60))
    for name in CURVES:
        np.testing.assert_allclose(getattr(slow, name), getattr(fast, name)[::2], atol=2e-3, err_msg=name)


def test_a_quiet_file_moves_as_much_as_a_loud_one(tmp_path: Path) -> None:
    t = np.arange(12 * 44_100) / 44_100
    song = media.click_track(12.0, 100.0) * 0.5 + media.tone(12.0, 70, 0.3) * (np.sin(2 * np.pi * 0.4 * t) > 0)
    loud = features(tmp_path, song, 30, "loud.wav")
    quiet = features(tmp_path, song * 0.02, 30, "quiet.wav")
    for name in ("loudness", "bass", "low_mid", "mid", "treble", "beat", "onset"):
        difference = np.abs(getattr(loud, name) - getattr(quiet, name))
        assert difference.mean() < 0.06, name
        assert getattr(quiet, name).max() > 0.8 * getattr(loud, name).max(), name


def test_silence_is_still(tmp_path: Path) -> None:
    got = features(tmp_path, media.silence(3.0))
    for name in CURVES:
        if name != "beat_phase":
            assert not getattr(got, name).any(), name


def test_silence_between_music_and_hiss_are_still(tmp_path: Path) -> None:
    signal = np.concatenate([media.noise(4.0), media.noise(4.0, level=2e-5), media.noise(2.0)])
    got = features(tmp_path, signal, 30)
    for name in ("loudness", "bass", "mid", "treble", "onset", "beat", "bands", "centroid"):
        assert np.max(getattr(got, name)[165:225]) < 0.02, name
    assert got.loudness[60] > 0.5


def test_a_steady_tone_is_steady(tmp_path: Path) -> None:
    got = features(tmp_path, media.tone(5.0, 100.0), 30)
    assert np.ptp(got.bass[30:120]) < 0.02
    assert got.onset[30:120].max() < 0.1
    assert got.bass[60] > 0.5


def test_each_group_follows_its_own_part_of_the_sound(tmp_path: Path) -> None:
    parts = {"bass": 70.0, "low_mid": 330.0, "mid": 1_500.0, "treble": 6_000.0}
    signal = np.concatenate([part for hertz in parts.values() for part in (media.tone(2.0, hertz), media.silence(0.7))])
    got = features(tmp_path, signal, 30)
    for place, name in enumerate(parts):
        middle = slice(round((2.7 * place + 0.5) * 30), round((2.7 * place + 1.5) * 30))
        for other in parts:
            level = getattr(got, other)[middle].mean()
            assert level > 0.5 if other == name else level < 0.1, (name, other, level)
    centroid = [got.centroid[round((2.7 * place + 1.0) * 30)] for place in range(4)]
    assert centroid == sorted(centroid)


def test_release_and_attack_take_their_seconds() -> None:
    for rate in (30, 60):
        pulse = np.zeros(4 * rate, np.float32)
        pulse[rate] = 1.0
        held = release(pulse, 0.5, rate)
        assert held[rate - 1] == 0.0
        assert held[rate] == pytest.approx(1.0)
        assert held[rate + rate // 2] == pytest.approx(np.exp(-1.0), rel=1e-3)
        step = (np.arange(4 * rate) >= 2 * rate).astype(np.float32)
        smooth = attack(step, 0.4, rate)
        rise = np.interp([0.1, 0.9], smooth, np.arange(len(smooth)) / rate)
        assert rise[1] - rise[0] == pytest.approx(0.4, abs=1.5 / rate)
        assert np.mean(rise) == pytest.approx(2.0, abs=1.0 / rate)


def test_percentiles_are_those_of_all_rows_together() -> None:
    values = np.random.default_rng(3).lognormal(-8, 2, (5_000, 3)).astype(np.float32)
    counter = Percentiles(3)
    for start in range(0, 5_000, 700):
        counter.add(values[start : start + 700])
    for percent in (5, 50, 98):
        np.testing.assert_allclose(counter.power(percent), np.percentile(values, percent, axis=0), rtol=0.03)


class TestCache:
    def test_the_second_time_nothing_is_decoded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = media.write_audio(tmp_path / "a.wav", media.noise(1.0))
        first = analyse(path, 30, tmp_path / "cache")
        monkeypatch.setattr(analyse_module, "decode_mono", lambda *_: pytest.fail("decoded again"))
        renamed = path.rename(tmp_path / "b.wav")
        second = analyse(renamed, 30, tmp_path / "cache")
        for name in CURVES:
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
        assert (first.duration, first.frames, first.fps) == (second.duration, second.frames, second.fps)

    @pytest.mark.parametrize("damage", ["truncated", "flipped", "garbage", "empty"])
    def test_a_damaged_file_is_made_again(self, tmp_path: Path, damage: str) -> None:
        path = media.write_audio(tmp_path / "a.wav", media.noise(1.0))
        good = {name: np.array(getattr(analyse(path, 30, tmp_path / "cache"), name)) for name in CURVES}
        (stored,) = (tmp_path / "cache").glob("*.npz")
        data = bytearray(stored.read_bytes())
        if damage == "truncated":
            data = data[: len(data) // 2]
        elif damage == "flipped":
            data[len(data) // 2] ^= 1
        else:
            data = bytearray(b"PK garbage" if damage == "garbage" else b"")
        stored.unlink()
        stored.write_bytes(data)
        again = analyse(path, 30, tmp_path / "cache")
        for name in CURVES:
            np.testing.assert_array_equal(getattr(again, name), good[name])
        assert [entry.name for entry in (tmp_path / "cache").iterdir()] == [stored.name]

    def test_a_file_is_an_ordinary_npz_and_its_arrays_are_mapped(self, tmp_path: Path) -> None:
        path = tmp_path / "x.npz"
        one, two = np.arange(7, dtype=np.float32), np.ones((3, 5), np.float32)
        cache.store(path, {"one": ((7,), iter([one[:3], one[3:]])), "two": ((3, 5), iter([two]))})
        with np.load(path, allow_pickle=False) as archive:
            np.testing.assert_array_equal(archive["one"], one)
            np.testing.assert_array_equal(archive["two"], two)
        loaded = cache.load(path)
        assert loaded is not None
        np.testing.assert_array_equal(loaded["one"], one)
        for values in loaded.values():
            base = values.base
            while base is not None and not isinstance(base, np.memmap):
                base = getattr(base, "base", None)
            assert isinstance(base, np.memmap)
            assert values.ctypes.data % 64 == 0

    def test_a_cache_that_cannot_be_written_is_said(self, tmp_path: Path) -> None:
        path = media.write_audio(tmp_path / "a.wav", media.noise(0.5))
        (tmp_path / "cache").write_text("in the way")
        with pytest.raises(errors.StorageError):
            analyse(path, 30, tmp_path / "cache")
