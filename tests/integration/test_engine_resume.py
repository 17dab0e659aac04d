"""A render that is killed goes on where it was, and makes the very same file."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from ethereal_gui.domain.errors import StorageError
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.render import engine
from ethereal_gui.render.engine import render
from ethereal_gui.render.spec import RenderedVideo, RenderSpec
from tests import media

SECONDS = 31.0
FMT = media.small_format(160, 96)

CHILD = """
import sys
from pathlib import Path
from tests.integration.test_engine_resume import run
run(Path(sys.argv[1]), sys.argv[2])
"""


def spec_of(root: Path) -> RenderSpec:
    template = TemplateLibrary(resource_path("templates")).get("flame")
    return RenderSpec(root / "song.wav", template, FMT, 30, Quality.DRAFT)


def run(root: Path, work: str, **more: object) -> RenderedVideo:
    (root / "out").mkdir(exist_ok=True)
    return render(
        spec_of(root),
        root / "out",
        (f"v{n}.mp4" for n in itertools.count(1)),
        work_dir=root / work,
        cache_dir=root / "cache",
        encoder="software",
        threads=2,
        **more,  # type: ignore[arg-type]
    )


def packets(path: Path) -> list[tuple[int | None, int | None, bytes]]:
    with av.open(str(path)) as container:
        return [(packet.pts, packet.dts, bytes(packet)) for packet in container.demux()]


def finished_segments(root: Path, work: str) -> list[Path]:
    return sorted((root / work / "segments").glob("*/segment-*.mp4"))


def kill_when(root: Path, work: str, condition: Callable[[], bool]) -> None:
    """Start a real render in a process of its own and kill -9 it when the condition holds."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(root), work],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not condition():
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RenderedVideo]:
    """One song and its video, rendered in one go."""
    root = tmp_path_factory.mktemp("resume")
    media.write_audio(root / "song.wav", media.click_track(SECONDS, 120.0))
    return root, run(root, "whole")


def test_killed_in_mid_render_it_goes_on_and_makes_the_same_packets(whole: tuple[Path, RenderedVideo]) -> None:
    root, reference = whole
    kill_when(root, "killed", lambda: len(finished_segments(root, "killed")) >= 2)
    before = {path: path.stat().st_mtime_ns for path in finished_segments(root, "killed")}
    assert len(before) >= 2
    assert not [path for path in (root / "out").iterdir() if path.name.startswith(".")]
    kill_when(root, "killed", lambda: bool(list((root / "killed").glob("segments/*/.segment-*.part"))))
    assert {path: path.stat().st_mtime_ns for path in before} == before  # nothing was rendered again
    got = run(root, "killed")
    assert got.resumed_frames >= 600
    assert got.path != reference.path
    assert packets(got.path) == packets(reference.path)
    assert got.path.read_bytes() == reference.path.read_bytes()
    got.path.unlink()


def test_killed_while_finishing_it_leaves_one_file(whole: tuple[Path, RenderedVideo]) -> None:
    root, reference = whole
    hidden = root / "out"
    kill_when(root, "late", lambda: any(path.name.startswith(".ethereal-") for path in hidden.iterdir()))
    got = run(root, "late")
    assert got.path.read_bytes() == reference.path.read_bytes()
    assert not [path for path in hidden.iterdir() if path.name.startswith(".")]
    assert got.resumed_frames == got.frames
    got.path.unlink()


def test_after_publishing_the_next_attempt_returns_the_same_file(whole: tuple[Path, RenderedVideo]) -> None:
    root, reference = whole
    again = run(root, "whole")
    assert again.path == reference.path
    assert (again.frames, again.size, again.duration) == (reference.frames, reference.size, reference.duration)
    assert [path.name for path in (root / "out").iterdir()] == [reference.path.name]


@pytest.fixture
def short(tmp_path: Path) -> Path:
    media.write_audio(tmp_path / "song.wav", media.click_track(1.0, 120.0))
    return tmp_path


def test_a_damaged_segment_is_rendered_again(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = run(short, "reference")
    with monkeypatch.context() as patch:
        patch.setattr(engine, "join", lambda *_args, **_more: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(short, "work")
    (segment,) = finished_segments(short, "work")
    segment.write_bytes(segment.read_bytes()[:-2_000])
    got = run(short, "work")
    assert packets(got.path) == packets(reference.path)


def test_segments_of_other_settings_are_not_used(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engine, "join", lambda *_args, **_more: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(short, "work")
    media.write_audio(short / "song.wav", media.click_track(1.0, 100.0))
    assert run(short, "work").resumed_frames == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize(("full", "size"), [("out", "48k"), ("work", "12k")])
def test_a_full_disk_is_said_and_nothing_is_lost(short: Path, full: str, size: str) -> None:
    folder = short / full
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with pytest.raises(StorageError) as caught:
            run(short, "work")
        assert type(caught.value).__name__ == "DiskFullError"
        assert str(folder) in caught.value.message
        assert caught.value.retryable
        assert not list((short / "out").glob("*.mp4"))
        subprocess.run(["mount", "-o", "remount,size=20m", str(folder)], check=True)
        got = run(short, "work")
        assert got.path.exists()
        assert got.resumed_frames == (got.frames if full == "out" else 0)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
