"""Files are looked into by real children: what they find, and what it costs when a file kills, hangs or bloats one."""

import asyncio
import io
import os
import shlex
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mutagen.flac
import psutil
import pytest
from PIL import Image

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import (
    DamagedAudioError,
    EmptyFileError,
    FileMissingError,
    FileUnreadableError,
    InputError,
    NoAudioStreamError,
    NotAudioError,
)
from ethereal_gui.intake.expand import Candidate
from ethereal_gui.intake.inspect import Skipped
from ethereal_gui.worker.probing import Prober, inspect
from tests import media
from tests.integration.rendering import probe_children as children


@pytest.fixture
def prober() -> Iterator[Prober]:
    with Prober(children=1) as made:
        yield made
    assert children() == []


@pytest.fixture
def impatient() -> Iterator[Prober]:
    """One that gives a file two seconds."""
    with Prober(children=1, seconds=2.0) as made:
        yield made
    assert children() == []


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def standing_still(prober: Prober) -> psutil.Process:
    """A child that will not answer, as if its first file had no end."""
    prober.warm_up()
    until(children)
    (child,) = children()
    child.suspend()
    return child


def song(path: Path) -> Path:
    return media.write_audio(path, media.tone(0.5))


@pytest.mark.parametrize("suffix", sorted(media.CODECS))
def test_every_type_of_song_is_described(prober: Prober, tmp_path: Path, suffix: str) -> None:
    rate = 48_000 if suffix == "opus" else 44_100
    words = {"title": "Ä “song”", "artist": "Somebody"}
    path = media.write_audio(tmp_path / f"a.{suffix}", media.tone(1.0, rate=rate), rate, tags=words)
    found = prober.song(path)
    assert (found.path, found.original_name, found.size) == (str(path), path.name, path.stat().st_size)
    assert found.duration == pytest.approx(1.0, abs=0.1)
    if suffix != "aiff":  # FFmpeg writes its tags as plain bytes
        assert (found.title, found.artist) == ("Ä “song”", "Somebody")


def test_what_is_no_song_is_named_with_the_reason(prober: Prober, tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").write_bytes(b"")
    (tmp_path / "text.mp3").write_text("words " * 5000)
    (tmp_path / "cut.flac").write_bytes(song(tmp_path / "a.flac").read_bytes()[:60])
    media.write_silent_video(tmp_path / "silent.mp4")
    (tmp_path / "folder.mp3").mkdir()
    for name, kind in {
        "empty.mp3": EmptyFileError,
        "text.mp3": NotAudioError,
        "cut.flac": DamagedAudioError,
        "silent.mp4": NoAudioStreamError,
        "folder.mp3": NotAudioError,
        "gone.mp3": FileMissingError,
    }.items():
        with pytest.raises(kind, match=name):
            prober.song(tmp_path / name)
    assert len(children()) == 1, "one child for all of them"


def test_a_playlist_opens_nothing_else(prober: Prober, tmp_path: Path) -> None:
    real = song(tmp_path / "real.wav")
    for name, text in {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{real}\n#EXT-X-ENDLIST\n",
        "list.mp3": f"ffconcat version 1.0\nfile {real}\n",
        "list.wav": f"<MPD><BaseURL>{real}</BaseURL></MPD>",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(NotAudioError):
            prober.song(tmp_path / name)


def test_a_file_that_never_ends_costs_only_itself(impatient: Prober, tmp_path: Path) -> None:
    standing_still(impatient)
    with pytest.raises(FileUnreadableError, match=r"endless\.wav.*within 2 s"):
        impatient.song(song(tmp_path / "endless.wav"))
    assert children() == []
    impatient.warm_up()
    assert impatient.song(song(tmp_path / "a.wav")).duration == pytest.approx(0.5)


def test_a_file_that_kills_its_child_costs_only_itself(prober: Prober, tmp_path: Path) -> None:
    child = standing_still(prober)

    def crash() -> None:
        child.send_signal(signal.SIGSEGV)
        child.resume()

    threading.Timer(0.3, crash).start()
    with pytest.raises(DamagedAudioError, match=rf"killer\.wav.*signal {signal.SIGSEGV.value}"):
        prober.song(song(tmp_path / "killer.wav"))
    assert prober.song(song(tmp_path / "a.wav")).duration == pytest.approx(0.5)


@pytest.mark.parametrize("device", ["pipe", "/dev/zero", "/dev/null", "/dev/tty"])
def test_pipes_and_devices_are_not_waited_for(prober: Prober, tmp_path: Path, device: str) -> None:
    path = tmp_path / "odd.wav"
    if device == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(device)
    with pytest.raises(InputError, match=r"odd\.wav"):
        prober.song(path)
    assert len(children()) == 1


def test_a_file_is_not_blamed_for_a_child_that_died_before_it(prober: Prober, tmp_path: Path) -> None:
    path = song(tmp_path / "a.wav")
    prober.song(path)
    for number in (signal.SIGKILL, signal.SIGSTOP):
        (child,) = children()
        os.kill(child.pid, number)
        if number == signal.SIGSTOP:  # it stands still, and dies only when it is asked
            threading.Timer(0.5, child.kill).start()
        assert prober.song(path).duration == pytest.approx(0.5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_a_file_that_wants_all_the_memory_costs_only_itself(tmp_path: Path) -> None:
    """An mp3 whose tag has a picture of 200 MB; it is a hole in the file. Without a limit the child takes 840 MB."""
    path = media.write_audio(tmp_path / "a.mp3", media.tone(0.5))
    sound, size = path.read_bytes(), 200 << 20
    with path.open("wb") as file:
        file.write(b"ID3\x04\0\0" + syncsafe(size + 10) + b"APIC" + syncsafe(size) + b"\0\0\0image/png\0\3\0")
        file.seek(20 + size)
        file.write(sound)
    with Prober(children=1, memory=150 << 20) as prober:
        assert prober.song(path).duration == pytest.approx(0.5, abs=0.1), "a damaged tag is no reason to refuse a song"
        (child,) = children()
        status = Path(f"/proc/{child.pid}/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) << 10
        assert peak < 250 << 20
        assert prober.song(song(tmp_path / "b.flac")).duration == pytest.approx(0.5)


def syncsafe(number: int) -> bytes:
    """A number as ID3 writes it, seven bits a byte."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes these things away")
def test_a_child_has_given_up_what_it_does_not_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "a secret")
    with Prober(children=1, memory=300 << 20) as prober:
        prober.song(song(tmp_path / "a.wav"))
        (child,) = children()
        folder = Path(f"/proc/{child.pid}")
        assert "NoNewPrivs:\t1" in (folder / "status").read_text()
        assert f"Max data size             {300 << 20}" in (folder / "limits").read_text()
        assert "Max core file size        0 " in (folder / "limits").read_text()
        assert b"secret" not in (folder / "environ").read_bytes()
        assert os.getsid(child.pid) == child.pid


def test_covers_are_drawn_anew_and_bombs_left_out(prober: Prober, tmp_path: Path) -> None:
    def with_cover(name: str, data: bytes) -> Path:
        path = song(tmp_path / f"{name}.flac")
        tags: Any = mutagen.flac.FLAC(path)  # type: ignore[no-untyped-call]
        picture: Any = mutagen.flac.Picture()  # type: ignore[no-untyped-call]
        picture.data = data
        tags.add_picture(picture)
        tags.save()
        return path

    png = io.BytesIO()
    Image.new("1", (1000, 500)).save(png, "PNG")
    good = png.getvalue()
    bomb = good[:16] + struct.pack(">II", 60_000, 60_000) + good[24:]
    bomb = bomb[:29] + struct.pack(">I", zlib.crc32(bomb[12:29])) + bomb[33:]

    found = prober.cover(with_cover("good", good))
    assert found
    assert Image.open(io.BytesIO(found)).size == (256, 128)
    assert prober.cover(with_cover("bomb", bomb)) is None
    assert prober.cover(with_cover("words", b"GIF89a")) is None
    assert prober.cover(song(tmp_path / "none.wav")) is None
    assert len(children()) == 1
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(FileUnreadableError, match=r"bomb\.png"):
        prober.check_picture(tmp_path / "bomb.png")


async def test_a_drop_keeps_its_order_and_tells_how_far_it_is(tmp_path: Path) -> None:
    data = song(tmp_path / "first.wav").read_bytes()
    for n in range(500):
        (tmp_path / f"{n:03}.wav").write_bytes(data if n % 50 else b"")
    told: list[tuple[int, int]] = []
    with Prober(children=3) as prober:
        result = await inspect(prober, [tmp_path], lambda done, total: told.append((done, total)))
        assert len(children()) == 3
    names = [song.original_name for song in result.accepted]
    assert names == sorted(names)
    assert (len(names), len(result.skipped)) == (491, 10)
    assert all("empty" in skipped.reason for skipped in result.skipped)
    assert told == sorted(told)
    assert {total for _, total in told} == {501}


async def test_a_drop_is_called_off_at_once(tmp_path: Path) -> None:
    data = song(tmp_path / "first.wav").read_bytes()
    for n in range(300):
        (tmp_path / f"{n:03}.wav").write_bytes(data)
    with Prober(children=1) as prober:
        looking = asyncio.create_task(inspect(prober, [tmp_path]))
        await asyncio.to_thread(until, children)
        looking.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await looking
        assert time.monotonic() - began < 1.0


def test_closing_ends_a_child_in_the_middle_of_a_file(tmp_path: Path) -> None:
    prober = Prober(children=1)
    standing_still(prober)
    answers: list[AudioFile | Skipped] = []
    candidate = Candidate(song(tmp_path / "a.wav"), named=True)
    thread = threading.Thread(target=lambda: answers.append(prober.examine(candidate)))
    thread.start()
    prober.close()
    thread.join(10)
    assert isinstance(answers[0], Skipped)
    assert children() == []


def test_children_end_with_their_parent() -> None:
    code = "from ethereal_gui.worker.probing import Prober; prober = Prober(); prober.warm_up(); input()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    until(lambda: children(parent.pid))
    (child,) = children(parent.pid)
    parent.kill()
    parent.wait()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_the_window_and_the_commands_cannot_open_a_song_themselves() -> None:
    code = (
        "import sys, ethereal_gui.app, ethereal_gui.commands.submit, ethereal_gui.commands.render;"
        "print(sorted({'av', 'mutagen', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


NONSENSE = (
    "",
    "nonsense",
    "[" * 900_000,
    "x" * 2_000_000,
    "{}",
    "[]",
    '{"found": 7}',
    '{"found": {"size": -1}}',
    '{"found": {"title": 5}}',
    '{"error": {"code": "SystemExit", "message": "a.wav"}}',
)


@pytest.mark.parametrize("said", NONSENSE)
def test_what_a_child_says_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """A real process in the child's place, as if a file had taken it over."""
    answer, stand_in = tmp_path / "answer", tmp_path / "python"
    answer.write_text(said + "\n")
    stand_in.write_text(f"#!/bin/sh\nread request\ncat {shlex.quote(str(answer))}\n")
    stand_in.chmod(0o700)
    path = song(tmp_path / "a.wav")
    monkeypatch.setattr(sys, "executable", str(stand_in))
    with Prober(children=1) as prober, pytest.raises(InputError, match=r"a\.wav"):
        prober.song(path)
