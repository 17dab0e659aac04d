"""Render, reopen, and look at every fact about the file."""

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from ethereal_gui.domain import errors
from ethereal_gui.domain.formats import OutputFormat, Quality
from ethereal_gui.domain.job import Progress, Stage
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import Template, TemplateLibrary
from ethereal_gui.render import engine
from ethereal_gui.render.engine import render
from ethereal_gui.render.spec import RenderedVideo, RenderSpec
from ethereal_gui.render.stills import draw_frame
from ethereal_gui.render.video.boxes import Box, read_box, top_level
from ethereal_gui.render.video.encoders import software_setup
from ethereal_gui.render.video.mux import JoinError, join
from ethereal_gui.render.video.segments import SegmentWriter
from ethereal_gui.render.video.sound import encode_sound
from ethereal_gui.render.video.verify import verify
from tests import media


@pytest.fixture(scope="module")
def template() -> Template:
    return TemplateLibrary(resource_path("templates")).get("flame")


@dataclass
class Bench:
    """Folders for renders, and renders in them."""

    root: Path
    template: Template
    progress: list[Progress] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.root / "out"

    def spec(self, song: Path, fmt: OutputFormat | None = None, fps: int = 30, **more: object) -> RenderSpec:
        quality = more.pop("quality", Quality.DRAFT)
        return RenderSpec(song, self.template, fmt or media.small_format(), fps, quality, **more)  # type: ignore[arg-type]

    def render(self, spec: RenderSpec, work: str = "work", **more: object) -> RenderedVideo:
        self.out.mkdir(exist_ok=True)
        return render(
            spec,
            self.out,
            names(),
            work_dir=self.root / work,
            cache_dir=self.root / "cache",
            on_progress=self.progress.append,
            **{"encoder": "software", **more},  # type: ignore[arg-type]
        )


def names() -> Iterator[str]:
    return (f"v{n}.mp4" for n in itertools.count(1))


@pytest.fixture
def bench(tmp_path: Path, template: Template) -> Bench:
    return Bench(tmp_path, template)


def moov_of(path: Path) -> Box:
    with path.open("rb") as file:
        places = {place.kind: place for place in top_level(file)}
        return read_box(file, places[b"moov"])


@pytest.mark.parametrize(
    ("fps", "seconds", "fmt", "codec"),
    [
        (30, 1.37, media.small_format(), "h264"),
        (60, 1.21, media.small_format(128, 192, like="1080p_vertical"), "h264"),
        (30, 1.0, media.small_format(256, 128, like="360mono"), "h264"),
        (30, 1.0, media.small_format(256, 256, like="360stereo"), "h264"),
        (30, 1.0, media.small_format(256, 256, like="360stereo_8k"), "hevc"),
        (30, 1.37, media.small_format(), "av1"),
        (60, 1.0, media.small_format(256, 256, like="360stereo"), "av1"),
    ],
    ids=["flat30", "vertical60", "mono360", "stereo360", "hevc", "av1", "av1-stereo360"],
)
def test_every_fact_about_the_file(bench: Bench, fps: int, seconds: float, fmt: OutputFormat, codec: str) -> None:
    song = media.write_audio(bench.root / "song.wav", media.click_track(seconds, 120.0, 0.2))
    encoder = "av1" if codec == "av1" else "software"
    got = bench.render(bench.spec(song, fmt, fps, title="Täglich", artist="Ich & Du"), encoder=encoder)
    frames = int(np.ceil(round(seconds * 44_100) * fps / 44_100))
    assert (got.path.name, got.frames, got.size) == ("v1.mp4", frames, got.path.stat().st_size)
    assert got.duration == pytest.approx(frames / fps)
    with av.open(str(got.path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        context = video.codec_context
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        depth = "yuv420p10le" if codec == "av1" else "yuv420p"
        assert (video.width, video.height, context.pix_fmt) == (fmt.width, fmt.height, depth)
        assert context.codec.canonical_name == codec
        assert context.codec_tag == {"h264": "avc1", "hevc": "hvc1", "av1": "av01"}[codec]
        assert context.profile == ("High" if codec == "h264" else "Main")
        assert (video.average_rate, video.frames) == (Fraction(fps), frames)
        assert video.sample_aspect_ratio in (None, 1)
        assert (context.color_primaries, context.color_trc) == (ColorPrimaries.BT709, ColorTrc.BT709)
        assert (context.colorspace, context.color_range) == (Colorspace.ITU709, ColorRange.MPEG)
        assert (audio.codec_context.name, audio.profile) == ("aac", "LC")
        assert (audio.sample_rate, audio.channels) == (48_000, 2)
        assert video.duration is not None
        assert audio.duration is not None
        assert video.time_base is not None
        assert audio.time_base is not None
        lengths = [float(video.duration * video.time_base), float(audio.duration * audio.time_base)]
        assert lengths == pytest.approx([frames / fps] * 2, abs=1e-4)
        assert (video.start_time, audio.start_time) == (0, 0)
        assert (container.metadata["title"], container.metadata["artist"]) == ("Täglich", "Ich & Du")
        packets = [packet for packet in container.demux(video) if packet.size]
    step = Fraction(1, fps) / video.time_base
    shown = [packet.pts / step for packet in packets if packet.pts is not None]
    assert sorted(shown) == list(range(frames))
    key_frames = [n for packet, n in zip(packets, shown, strict=True) if packet.is_keyframe]
    assert key_frames == list(range(0, frames, fps // 2))
    order = [n for n in shown if n < fps // 2]
    # Two B-frames in H.264; x265 goes without them for the sake of memory, and AV1 hides the order in its packets.
    assert order[:4] == ([0, 3, 1, 2] if codec == "h264" else [0, 1, 2, 3])
    starts = [shown.index(n) for n in key_frames]
    for first, last in itertools.pairwise([*starts, len(shown)]):
        assert {n // (fps // 2) for n in shown[first:last]} == {shown[first] // (fps // 2)}  # closed groups
    moov = moov_of(got.path)
    assert not any(track.find(b"edts") for track in moov.find_all(b"trak"))
    with got.path.open("rb") as file:
        kinds = [place.kind for place in top_level(file)]
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    assert [entry.name for entry in bench.out.iterdir()] == ["v1.mp4"]
    assert not (bench.root / "work" / "segments").exists()


def test_all_frames_decode_and_are_those_that_were_drawn(bench: Bench) -> None:
    song = media.write_audio(bench.root / "song.wav", media.click_track(1.5, 120.0, 0.2))
    spec = bench.spec(song, quality=Quality.HIGH)
    got = bench.render(spec)
    with av.open(str(got.path)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(pictures) == got.frames
    for n in (15, 22, 30):
        drawn = draw_frame(spec, n, cache_dir=bench.root / "cache").astype(float)
        luma = drawn @ [0.2126, 0.7152, 0.0722]
        assert np.abs(luma - pictures[n]).mean() < 6.0


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize(("like", "stereo"), [("360mono", "2D"), ("360stereo", "top and bottom")])
def test_ffprobe_names_projection_and_stereo_mode(bench: Bench, like: str, stereo: str) -> None:
    song = media.write_audio(bench.root / "song.wav", media.noise(0.5))
    got = bench.render(bench.spec(song, media.small_format(128, 128, like=like)))
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", str(got.path)], capture_output=True, text=True, check=True
    )
    assert "projection=equirectangular" in probe.stdout
    assert f"type={stereo}" in probe.stdout
    assert not probe.stderr


@pytest.mark.parametrize("suffix", list(media.CODECS))
def test_every_type_of_song(bench: Bench, suffix: str) -> None:
    rate = 48_000 if suffix == "opus" else 44_100
    song = media.write_audio(
        bench.root / f"song.{suffix}", media.noise(0.5, rate=rate), rate, tags={"title": "T", "artist": "A"}
    )
    got = bench.render(bench.spec(song, media.small_format(96, 64)))
    assert got.duration == pytest.approx(0.5, abs=0.06)
    with av.open(str(got.path)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
        assert np.sqrt(np.mean(sound[:, 4_800:19_200] ** 2)) == pytest.approx(0.3 / np.sqrt(3), rel=0.2)
        if suffix not in ("wav", "aiff"):  # FFmpeg writes other tags there than mutagen reads
            assert (container.metadata["title"], container.metadata["artist"]) == ("T", "A")


def test_the_cover_of_the_song_is_the_cover_of_the_video(bench: Bench) -> None:
    song = bench.root / "song.mp3"
    source = resource_path("audio", "first-light.mp3").read_bytes()
    song.write_bytes(source[: len(source) // 2 + 60_000])
    got = bench.render(bench.spec(song, media.small_format(96, 64)))
    moov = moov_of(got.path)
    covers = list(moov.find_all(b"udta", b"meta", b"ilst", b"covr"))
    assert len(covers) == 1
    assert covers[0].payload[16:19] == b"\xff\xd8\xff"
    with av.open(str(got.path)) as container:
        assert container.metadata["title"] == "First Light"
        assert container.metadata["artist"] == "Ethereal"


def test_progress_goes_through_the_stages(bench: Bench) -> None:
    song = media.write_audio(bench.root / "song.wav", media.noise(2.0))
    bench.render(bench.spec(song))
    fractions = [progress.fraction for progress in bench.progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    stages = [stage for stage, _ in itertools.groupby(p.stage for p in bench.progress)]
    assert [stage for stage in stages if stage is not Stage.PREPARING] == [
        Stage.ANALYSING,
        Stage.RENDERING,
        Stage.FINISHING,
    ]


def test_names_that_are_taken_stay_what_they_are(bench: Bench) -> None:
    song = media.write_audio(bench.root / "song.wav", media.noise(0.3))
    spec = bench.spec(song, media.small_format(96, 64))
    first, second = bench.render(spec, "one"), bench.render(spec, "two")
    assert (first.path.name, second.path.name) == ("v1.mp4", "v2.mp4")


@pytest.mark.parametrize("encoder", ["software", "av1"])
def test_the_same_render_twice_is_the_same_packets(bench: Bench, encoder: str) -> None:
    song = media.write_audio(bench.root / "song.wav", media.click_track(1.0, 120))
    spec = bench.spec(song, quality=Quality.STANDARD)
    first, second = (bench.render(spec, f"on {n}", threads=n, encoder=encoder) for n in (1, 2))
    assert first.path.read_bytes() == second.path.read_bytes()


class TestFailures:
    @pytest.mark.parametrize(
        ("content", "error"),
        [(b"", errors.EmptyFileError), (b"text\n" * 500, errors.NotAudioError), (None, errors.FileMissingError)],
    )
    def test_bad_songs(self, bench: Bench, content: bytes | None, error: type[Exception]) -> None:
        song = bench.root / "song.mp3"
        if content is not None:
            song.write_bytes(content)
        with pytest.raises(error, match=r"song\.mp3"):
            bench.render(bench.spec(song))
        assert not list(bench.out.iterdir())

    def test_a_song_that_vanishes_after_its_analysis(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        song = media.write_audio(bench.root / "song.wav", media.noise(0.5))

        def sound(path: Path, *args: object) -> None:
            path.unlink()
            original(path, *args)  # type: ignore[arg-type]

        original = encode_sound
        monkeypatch.setattr(engine, "encode_sound", sound)
        with pytest.raises(errors.FileMissingError, match=r"song\.wav"):
            bench.render(bench.spec(song))
        assert not list(bench.out.iterdir())

    def test_an_output_folder_that_is_not_there(self, bench: Bench) -> None:
        song = media.write_audio(bench.root / "song.wav", media.noise(0.3))
        with pytest.raises(errors.OutputFolderError) as caught:
            render(
                bench.spec(song),
                bench.root / "gone",
                names(),
                work_dir=bench.root / "work",
                cache_dir=bench.root / "cache",
            )
        assert caught.value.retryable

    def test_an_output_folder_that_goes_away(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        song = media.write_audio(bench.root / "song.wav", media.noise(0.3))
        original = join

        def join_late(*args: object, **more: object) -> None:
            bench.out.rmdir()
            original(*args, **more)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(engine, "join", join_late)
            with pytest.raises(errors.OutputFolderError):
                bench.render(bench.spec(song, media.small_format(96, 64)))
        again = bench.render(bench.spec(song, media.small_format(96, 64)))
        assert again.resumed_frames == again.frames  # nothing was drawn twice

    def test_an_unknown_encoder_and_one_that_is_not_there(self, bench: Bench) -> None:
        song = media.write_audio(bench.root / "song.wav", media.noise(0.3))
        with pytest.raises(errors.SettingsError, match="magic"):
            bench.render(bench.spec(song), encoder="magic")
        with pytest.raises(errors.SettingsError, match="vaapi"):
            bench.render(bench.spec(song), encoder="vaapi")

    def test_a_file_that_is_not_what_it_should_be_is_not_published(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        song = media.write_audio(bench.root / "song.wav", media.noise(0.5))
        original = verify
        monkeypatch.setattr(
            engine, "verify", lambda path, fmt, fps, frames, codec: original(path, fmt, fps, frames + 1, codec)
        )
        with pytest.raises(errors.VerificationError, match="number of frames"):
            bench.render(bench.spec(song, media.small_format(96, 64)))
        assert not list(bench.out.iterdir())

    def test_verification_finds_a_cut_file(self, bench: Bench) -> None:
        song = media.write_audio(bench.root / "song.wav", media.noise(0.5))
        fmt = media.small_format(96, 64)
        got = bench.render(bench.spec(song, fmt))
        verify(got.path, fmt, 30, got.frames, "h264")
        whole = got.path.read_bytes()
        for damaged in (whole[:-500], whole[:2_000], b""):
            got.path.write_bytes(damaged)
            with pytest.raises(errors.VerificationError):
                verify(got.path, fmt, 30, got.frames, "h264")
        got.path.write_bytes(whole)
        with pytest.raises(errors.VerificationError, match=r"sv3d|st3d"):
            verify(got.path, media.small_format(96, 64, like="360mono"), 30, got.frames, "h264")

    def test_segments_of_another_encoder_are_not_joined(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        song = media.write_audio(bench.root / "song.wav", media.noise(0.5))

        def join_badly(*_args: object, **_more: object) -> None:
            raise JoinError("segment 1 comes from an encoder that was set up differently")

        monkeypatch.setattr(engine, "join", join_badly)
        with pytest.raises(errors.RenderError, match="do not fit"):
            bench.render(bench.spec(song, media.small_format(96, 64)))
        assert not (bench.root / "work" / "segments").exists()


def megabits(video: Path, seconds: float) -> float:
    """Bits of the pictures per second."""
    with av.open(str(video)) as container:
        return sum(packet.size for packet in container.demux(container.streams.video[0])) * 8 / seconds / 1e6


# A player's buffer of two seconds is nine tenths full when the video begins.
LIMIT, SECONDS = 0.25, 2.0
ALLOWED = LIMIT * (1 + 1.8 / SECONDS)


def test_a_limit_on_the_bit_rate_holds(bench: Bench) -> None:
    song = media.write_audio(bench.root / "song.wav", media.click_track(SECONDS, 120.0))
    fmt = media.small_format(256, 256)
    free = bench.render(bench.spec(song, fmt, quality=Quality.HIGH), "free")
    limited = bench.render(bench.spec(song, fmt, quality=Quality.HIGH, max_bit_rate=LIMIT), "limited")
    assert megabits(limited.path, limited.duration) < ALLOWED < megabits(free.path, free.duration)


def test_a_limit_on_the_bit_rate_holds_in_the_other_codec(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(128, 3, (60, 360, 240)).clip(16, 235).astype(np.uint8)
    rates = []
    for limit in (LIMIT, None):
        setup = software_setup(media.small_format(240, 240, like="360stereo_8k"), 30, Quality.HIGH, limit=limit)
        writer = SegmentWriter(tmp_path / f"{limit}.mp4", setup, len(noise))
        for frame in noise:
            writer.add(frame)
        writer.finish()
        rates.append(megabits(tmp_path / f"{limit}.mp4", SECONDS))
    assert rates[0] < ALLOWED < rates[1]


def test_setups_differ_where_packets_would(bench: Bench) -> None:
    seen = {
        str(software_setup(fmt, fps, quality).identity())
        for fmt in (media.small_format(), media.small_format(like="360stereo_8k"))
        for fps in (30, 60)
        for quality in Quality
    }
    assert len(seen) == 12
    eight = software_setup(media.small_format(like="360stereo_8k"), 30, Quality.DRAFT, processors=8).identity()
    assert eight == software_setup(media.small_format(like="360stereo_8k"), 30, Quality.DRAFT, processors=2).identity()
