"""One video rendered part by part, by others than who joins them, is the very same file."""

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ethereal_gui.domain.errors import PartRefusedError
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.render.engine import render, render_part
from ethereal_gui.render.spec import Part, RenderedVideo, RenderSpec, Sharing, Split, SplitUp
from ethereal_gui.render.video.segments import LARGE_PICTURE, Segment, plan_parts
from ethereal_gui.render.video.workspace import SHARED_PREFIX, clean_stale
from tests import media

SECONDS = 21.0
FRAMES = 630


def spec_of(root: Path) -> RenderSpec:
    template = TemplateLibrary(resource_path("templates")).get("flame")
    song = root / "song.wav"
    if not song.exists():
        media.write_audio(song, media.click_track(SECONDS, 120.0))
    return RenderSpec(song, template, media.small_format(160, 96), 30, Quality.DRAFT)


def run(root: Path, work: str, sharing: Sharing | None = None) -> RenderedVideo:
    (root / "out").mkdir(exist_ok=True)
    names = (f"{work} {n}.mp4" for n in itertools.count(1))
    cache = root / "cache"
    return render(
        spec_of(root),
        root / "out",
        names,
        work_dir=root / work,
        cache_dir=cache,
        encoder="software",
        threads=2,
        sharing=sharing,
    )


def split(root: Path, shared: Path, over: float = 0.0) -> Split:
    with pytest.raises(SplitUp) as caught:
        run(root, "first", Sharing(shared, over))
    return caught.value.split


def part(root: Path, shared: Path, wanted: Part, mark: str, threads: int = 1) -> int:
    work, cache = root / f"part {wanted.start}", root / f"cache {threads}"
    return render_part(
        spec_of(root), wanted, mark, segments_dir=shared, work_dir=work, cache_dir=cache, threads=threads
    )


def test_the_parts_of_others_make_the_very_same_file(tmp_path: Path) -> None:
    shared = tmp_path / "out" / f"{SHARED_PREFIX}abc"
    whole = run(tmp_path, "whole", Sharing(shared, SECONDS))
    assert (whole.resumed_frames, shared.exists()) == (0, False), "it is not longer than that"
    found = split(tmp_path, shared)
    assert found.frames == FRAMES
    assert found.parts == (Part(0, 300), Part(300, 600), Part(600, 630))
    for number, wanted in enumerate(reversed(found.parts[1:])):
        assert part(tmp_path, shared, wanted, found.mark, threads=1 + number % 2) == 0
    assert part(tmp_path, shared, found.parts[2], found.mark) == 30, "what is there is not rendered again"
    assert not any(entry.name.startswith(".") for entry in (shared / found.mark).iterdir())

    again = run(tmp_path, "last", Sharing(shared, 0.0))  # one part that is missing is nothing to split up
    assert again.resumed_frames == FRAMES - 300
    assert again.path.read_bytes() == whole.path.read_bytes()
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["last 1.mp4", "whole 1.mp4"]


def test_short_videos_and_what_is_there_are_not_split_up(tmp_path: Path) -> None:
    shared = tmp_path / "out" / f"{SHARED_PREFIX}abc"
    found = split(tmp_path, shared, over=SECONDS - 0.5)
    assert split(tmp_path, shared) == found, "the same again"
    for wanted in found.parts:
        part(tmp_path, shared, wanted, found.mark)
    assert run(tmp_path, "first", Sharing(shared)).resumed_frames == FRAMES
    assert not shared.exists()


def test_a_worker_that_would_make_something_else_refuses(tmp_path: Path) -> None:
    shared = tmp_path / "out" / f"{SHARED_PREFIX}abc"
    found = split(tmp_path, shared)
    with pytest.raises(PartRefusedError, match="other pictures"):
        part(tmp_path, shared, found.parts[0], "0" * 32)
    with pytest.raises(PartRefusedError, match="cannot be reached"):
        part(tmp_path, tmp_path / "elsewhere", found.parts[0], found.mark)
    assert not (tmp_path / "elsewhere").exists()
    assert list((shared / found.mark).iterdir()) == []


def test_parts_are_long_against_a_start_and_more_than_the_workers() -> None:
    def plan(count: int) -> list[Segment]:
        return [Segment(n, 300 * n, 300 * n + 300) for n in range(count)]

    hour = plan_parts(plan(360), 1920 * 1080)
    assert (len(hour), hour[0], hour[-1]) == (60, Part(0, 1800), Part(106_200, 108_000))
    assert len(plan_parts(plan(30), 1920 * 1080)) == 15
    assert len(plan_parts(plan(16), 1920 * 1080)) == 16
    assert plan_parts([], 1920 * 1080) == ()
    assert len(plan_parts(plan(360), LARGE_PICTURE + 1)) == 360
    holes = plan(360)[:100] + plan(360)[103:105] + plan(360)[200:210]
    parts = plan_parts(holes, 1920 * 1080)
    assert sum(one.frames for one in parts) == 112 * 300
    starts = {segment.start for segment in holes}
    assert all(start in starts for one in parts for start in range(one.start, one.stop, 300))


def test_a_shared_folder_is_swept_with_its_job(tmp_path: Path) -> None:
    shared = tmp_path / "out" / f"{SHARED_PREFIX}abc"
    split(tmp_path, shared)
    works = tmp_path / "works"
    works.mkdir()
    shutil.move(tmp_path / "first", works / "first")
    assert clean_stale(works, 3600) == 0
    assert shared.is_dir()
    assert clean_stale(works, -1) == 1
    assert not shared.exists()


def test_one_part_of_another_song_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "out" / f"{SHARED_PREFIX}abc"
    found = split(tmp_path, shared)
    other = media.write_audio(tmp_path / "other.wav", media.tone(2.0))
    spec = replace(spec_of(tmp_path), audio_path=other)
    work, cache = tmp_path / "w", tmp_path / "c"
    with pytest.raises(PartRefusedError):
        render_part(spec, found.parts[0], found.mark, segments_dir=shared, work_dir=work, cache_dir=cache)
