"""Taking a name: never over another file, never twice, never half."""

import errno
import itertools
import json
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethereal_gui.domain.errors import DiskFullError, OutputFolderError, RenderError, StorageError
from ethereal_gui.domain.naming import DEFAULT_PATTERN, candidate_names
from ethereal_gui.render.video import publish as publish_module
from ethereal_gui.render.video import workspace
from ethereal_gui.render.video.publish import Publisher
from ethereal_gui.render.video.storage import check_output_folder, storage_error, write_durably, writing
from ethereal_gui.render.video.workspace import clean_stale, locked


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    work, out = tmp_path / "work", tmp_path / "out"
    work.mkdir()
    out.mkdir()
    return work, out


def names() -> itertools.chain[str]:
    return itertools.chain(f"v{n}.mp4" for n in itertools.count(1))


def ready(work: Path, out: Path, content: bytes = b"video", mark: str = "a" * 32) -> Publisher:
    publisher = Publisher(work, out, mark)
    publisher.clean()
    publisher.temporary.write_bytes(content)
    return publisher


def no_links(*_args: object, **_kwargs: object) -> None:
    raise OSError(errno.EPERM, "not on this file system")


def test_the_first_free_name_is_taken(folders: tuple[Path, Path]) -> None:
    work, out = folders
    (out / "v1.mp4").write_bytes(b"older")
    (out / "v2.mp4").symlink_to(out / "nowhere")
    path = ready(work, out).publish(names(), frames=1, duration=1.0)
    assert path == out / "v3.mp4"
    assert path.read_bytes() == b"video"
    assert (out / "v1.mp4").read_bytes() == b"older"
    assert sorted(entry.name for entry in out.iterdir()) == ["v1.mp4", "v2.mp4", "v3.mp4"]


@given(
    songs=st.lists(st.sampled_from(["Song", "song", "../song", "SONG ", ".song", "CON", ""]) | st.text(), max_size=12),
    pattern=st.sampled_from([DEFAULT_PATTERN, "{song}{n}", "{n}", "{artist}{song}-{n}"]),
)
@settings(max_examples=25)
def test_whatever_songs_are_called_each_video_is_kept(
    tmp_path_factory: pytest.TempPathFactory, songs: list[str], pattern: str
) -> None:
    root = tmp_path_factory.mktemp("publish")
    work, out = root / "work", root / "out"
    work.mkdir()
    out.mkdir()
    for n, song in enumerate(songs):
        publisher = ready(work, out, f"video {n}".encode(), mark=f"{n:032}")
        path = publisher.publish(candidate_names(pattern, {"song": song, "artist": song}), frames=1, duration=1.0)
        assert path.parent == out
    assert sorted(path.read_bytes() for path in out.iterdir()) == sorted(
        f"video {n}".encode() for n in range(len(songs))
    )
    assert sorted(entry.name for entry in root.iterdir()) == ["out", "work"]


@pytest.mark.parametrize("links", [True, False])
def test_many_at_once_each_get_a_name_of_their_own(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    work, out = folders
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    publishers = []
    for n in range(12):
        (work / str(n)).mkdir()
        publishers.append(ready(work / str(n), out, f"video {n}".encode()))
    barrier = threading.Barrier(len(publishers))
    paths: list[Path] = []

    def run(publisher: Publisher) -> None:
        barrier.wait()
        paths.append(publisher.publish(names(), frames=1, duration=1.0))

    threads = [threading.Thread(target=run, args=(publisher,)) for publisher in publishers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 12
    assert {path.read_bytes() for path in paths} == {f"video {n}".encode() for n in range(12)}
    assert len(list(out.iterdir())) == 12


@pytest.mark.parametrize("links", [True, False])
def test_the_next_attempt_finds_what_was_published(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    work, out = folders
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    path = ready(work, out).publish(names(), frames=7, duration=2.5)
    record = Publisher(work, out, "a" * 32).published()
    assert record is not None
    assert (record.path, record.frames, record.duration, record.size) == (str(path), 7, 2.5, 5)
    assert Publisher(work, out, "b" * 32).published() is None
    path.unlink()
    assert Publisher(work, out, "a" * 32).published() is None


def test_another_file_under_that_name_is_not_taken_for_ours(folders: tuple[Path, Path]) -> None:
    work, out = folders
    path = ready(work, out).publish(names(), frames=1, duration=1.0)
    other = out / "other"
    other.write_bytes(b"other")
    other.replace(path)
    assert Publisher(work, out, "a" * 32).published() is None


def test_a_crash_between_link_and_unlink_leaves_one_file(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    work, out = folders
    publisher = ready(work, out)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_args, **_kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            publisher.publish(names(), frames=1, duration=1.0)
    assert len(list(out.iterdir())) == 2
    record = Publisher(work, out, "a" * 32).published()
    assert record is not None
    assert [entry.name for entry in out.iterdir()] == ["v1.mp4"]


def test_a_crash_between_reservation_and_replacement_is_finished(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    work, out = folders
    publisher = ready(work, out)
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", no_links)
        original = Path.replace

        def replace(self: Path, target: Path) -> Path:
            if Path(target).parent == out:
                raise KeyboardInterrupt
            return original(self, target)

        patch.setattr(Path, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            publisher.publish(names(), frames=1, duration=1.0)
    assert (out / "v1.mp4").stat().st_size == 0
    record = Publisher(work, out, "a" * 32).published()
    assert record is not None
    assert (out / "v1.mp4").read_bytes() == b"video"
    assert [entry.name for entry in out.iterdir()] == ["v1.mp4"]


def test_what_a_crashed_attempt_left_is_removed_even_elsewhere(folders: tuple[Path, Path], tmp_path: Path) -> None:
    work, out = folders
    left = ready(work, out).temporary
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Publisher(work, elsewhere, "a" * 32).clean()
    assert not left.exists()
    assert left.name.startswith(".")


def test_a_damaged_record_is_no_record(folders: tuple[Path, Path]) -> None:
    work, out = folders
    for text in ("", "[]", "{}", json.dumps({"unknown": 1})):
        (work / "publish.json").write_text(text)
        publisher = Publisher(work, out, "a" * 32)
        assert publisher.published() is None
        publisher.clean()


def test_names_that_run_out_are_an_error(folders: tuple[Path, Path]) -> None:
    work, out = folders
    (out / "v1.mp4").touch()
    with pytest.raises(StorageError, match="name"):
        ready(work, out).publish(["v1.mp4"], frames=1, duration=1.0)


def test_a_folder_that_goes_away_is_an_error(folders: tuple[Path, Path]) -> None:
    work, out = folders
    publisher = ready(work, out)
    publisher.temporary.unlink()
    out.rmdir()
    with pytest.raises(OutputFolderError, match="not there"):
        publisher.publish(names(), frames=1, duration=1.0)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EDQUOT, DiskFullError),
        (errno.EROFS, OutputFolderError),
        (errno.EACCES, OutputFolderError),
        (errno.EIO, StorageError),
    ],
)
def test_system_errors_become_ours(tmp_path: Path, number: int, kind: type[StorageError]) -> None:
    error = storage_error(tmp_path, OSError(number, "x"))
    assert type(error) is kind
    assert error.hint
    assert error.retryable
    assert str(tmp_path) in error.message
    with pytest.raises(kind) as caught, writing(tmp_path):
        raise OSError(number, "x")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_missing_output_folder_is_found_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputFolderError, match="not there"):
        check_output_folder(tmp_path / "gone")
    (tmp_path / "file").touch()
    with pytest.raises(OutputFolderError):
        check_output_folder(tmp_path / "file")


def test_durable_writes_replace_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for data in (b"one", b"two"):
        write_durably(path, data)
        assert path.read_bytes() == data
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


def test_one_process_at_a_time_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "_PATIENCE_SECONDS", 0.3)
    with locked(tmp_path / "job"):
        with pytest.raises(RenderError, match="another process"), locked(tmp_path / "job"):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(tmp_path / "job"):
        pass


def test_stale_folders_are_swept_and_others_stay(tmp_path: Path) -> None:
    old, fresh, held = (tmp_path / name for name in ("old", "fresh", "held"))
    past = time.time() - 100_000
    for folder in (old, fresh, held):
        (folder / "segments").mkdir(parents=True)
        (folder / "segments" / "s.mp4").write_bytes(b"x")
    with locked(held):
        for folder in (old, held):
            for entry in (*folder.rglob("*"), folder):
                os.utime(entry, (past, past))
        assert clean_stale(tmp_path, 50_000) == 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["fresh", "held"]
    assert clean_stale(tmp_path / "nothing", 1.0) == 0


def test_the_module_knows_where_links_are_missing() -> None:
    assert errno.EEXIST not in publish_module._NO_LINKS
    assert errno.ENOSPC not in publish_module._NO_LINKS
