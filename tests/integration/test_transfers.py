"""Songs from a real SFTP server and videos to it."""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import av
import psutil
import pytest

from ethereal_gui.domain.errors import (
    EtherealError,
    FileMissingError,
    FileUnreadableError,
    LocationError,
    NotAudioError,
    OutOfReachError,
    TransferError,
)
from ethereal_gui.domain.job import JobStatus, Progress, Stage
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.control import WorkerRegistry
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.worker.messages import FetchRequest, FolderRequest, SendRequest, Transferred, TransferRequest
from ethereal_gui.worker.requests import work_dir_of
from ethereal_gui.worker.sandbox import TransferProcess
from ethereal_gui.worker.workspace import make_output_dir
from tests.integration.farm import open_farm
from tests.integration.rendering import finished, job_until, make_song, run, running, shared_cache, worker_config
from tests.integration.workers import until
from tests.sftp_server import SftpKeys, SftpServer, make_keys, serving

PASSWORD = "correct-horse-battery"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SftpKeys:
    """Keys in a home folder of this test's own, which its transfers see as theirs."""
    monkeypatch.setenv("ETHEREAL_TEST_CACHE", str(shared_cache()))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    return make_keys(tmp_path, home)


@pytest.fixture
def server(tmp_path: Path, keys: SftpKeys) -> Iterator[SftpServer]:
    with serving(tmp_path / "nas", keys) as running_server:
        keys.trust(running_server.port)
        yield running_server


async def transfer(folder: Path, request: TransferRequest, seen: list[Progress] | None = None) -> Transferred:
    process = TransferProcess(
        request,
        work_dir=folder,
        on_progress=seen.append if seen is not None else lambda _: None,
        on_log=lambda _: None,
        hang_seconds=60,
    )
    return await process.run()


def transfers() -> list[psutil.Process]:
    """The transfer processes below this one."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "ethereal_gui.worker.transfer_child" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
    return found


def big_song(path: Path, size: int) -> Path:
    """A short song in a file of so many bytes; readers pass over what stands behind its sound."""
    make_song(path, 0.5)
    with path.open("r+b") as file:
        file.truncate(size)
    return path


async def test_a_song_comes_by_sftp_and_its_video_goes_back(tmp_path: Path) -> None:
    keys = make_keys(tmp_path, tmp_path / "box")
    (tmp_path / "box" / ".ssh" / "id_ed25519").unlink()
    async with open_farm(tmp_path) as farm:
        with serving(tmp_path / "nas", keys, password=PASSWORD) as server:
            keys.trust(server.port)
            (server.folder / "music").mkdir()
            make_song(server.folder / "music" / "50% & more #1?.wav", 0.5)
            worker = farm.worker("box", FSSPEC_SFTP_PASSWORD=PASSWORD)
            submitting = [
                *("submit", "--json", server.url("music/50% & more #1?.wav"), "-f", "1080p"),
                *("-o", server.url("videos/new")),
            ]
            answer = await asyncio.to_thread(run, submitting, farm.env("desk"), tmp_path)
            assert answer.returncode == 0, answer.stderr
            (job_id,) = json.loads(answer.stdout)["jobIds"]
            job = await finished(farm.queue, job_id)
            assert job.outcome is not None, job.failed_reason
            url = job.outcome.output_path
            (video,) = (server.folder / "videos" / "new").iterdir()
            assert url == server.url(f"videos/new/{video.name}")
            assert "_50% & more #1_1080p_v1.mp4" in video.name
            assert video.stat().st_size == job.outcome.size
            with av.open(str(video)) as container:
                assert container.streams.video[0].frames == 15
            everything = [str(job.raw_data), *await farm.queue.job_log(job_id)]
            async for key in farm.queue.access.client.scan_iter("*"):
                kind = await farm.queue.access.client.type(key)
                if kind == "hash":
                    everything.append(str(await farm.queue.access.client.hgetall(key)))
                elif kind == "stream":
                    everything.append(str(await farm.queue.access.client.xrange(key)))
            worker.terminate()
            everything += await asyncio.to_thread(worker.communicate)
        assert any("Sent " in line for line in everything)
        assert not [text for text in everything if PASSWORD in text]
    assert not any(path.is_file() for path in (tmp_path / "box" / "data" / "work").rglob("*"))


async def test_a_server_that_dies_in_the_middle_is_waited_for_and_nothing_is_fetched_twice(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path, keys: SftpKeys
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    size, stall = 1_800_000, 1_300_000
    with serving(tmp_path / "nas", keys, stall_after=stall) as first:
        keys.trust(first.port)
        big_song(first.folder / "a.wav", size)
        job_id = await add(queue, first.url("a.wav"), str(tmp_path / "out"))
        async with running(config):
            busy = await job_until(queue, job_id, lambda job: bool(job.progress and job.progress.fraction))
            assert busy.progress is not None
            assert busy.progress.stage is Stage.FETCHING
            first.kill()
            left = await job_until(queue, job_id, lambda job: job.left_by is not None)
            assert (left.status, left.queue_state, left.attempts_made) == (JobStatus.PENDING, "delayed", 0)
            assert left.left_by is not None
            assert "a.wav" in left.left_by.note
            with serving(tmp_path / "nas", keys, port=first.port) as second:
                job = await finished(queue, job_id)
                second.kill()
                assert second.process.stdout is not None
                reads = [line.split() for line in second.process.stdout if line.startswith("read")]
    assert job.status is JobStatus.COMPLETED, job.failed_reason
    assert job.attempts_made == 1
    assert {int(offset) for _, offset, _ in reads} == {1 << 20}, "it goes on where the first attempt has stopped"


async def test_a_server_that_is_gone_at_the_end_costs_neither_the_render_nor_an_attempt(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path, keys: SftpKeys
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    with serving(tmp_path / "nas", keys) as first:
        keys.trust(first.port)
        job_id = await add(queue, str(make_song(tmp_path / "a.wav", 0.5)), first.url("videos"))
        async with running(config):
            await job_until(queue, job_id, lambda job: bool(job.progress and job.progress.stage is Stage.RENDERING))
            first.kill()
            while not any("Sending again" in line for line in await queue.job_log(job_id)):
                await asyncio.sleep(0.1)
            with serving(tmp_path / "nas", keys, port=first.port):
                job = await finished(queue, job_id)
    assert job.outcome is not None, job.failed_reason
    assert job.attempts_made == 1
    assert [f"{first.url('videos')}/{path.name}" for path in (tmp_path / "nas" / "videos").iterdir()] == [
        job.outcome.output_path
    ]
    assert not work_dir_of(config, job_id).exists()


async def test_a_song_that_is_not_on_the_server_is_looked_for_by_every_worker_and_then_fails(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path, server: SftpServer
) -> None:
    one, two = (replace(worker_config(server_address, tmp_path / n, queue_name), name=n) for n in ("one", "two"))
    registry = WorkerRegistry(server_address, queue_name=queue_name)
    async with running(one), running(two):

        async def both() -> bool:
            return len(await registry.workers()) == 2

        await until(both)
        job = await finished(queue, await add(queue, server.url("a.wav"), str(tmp_path / "out")))
    await registry.close()
    assert (job.status, job.attempts_made) == (JobStatus.FAILED, 1)
    assert f"“{server.url('a.wav')}” is not there. Neither can it be read by" in (job.failed_reason or "")


async def test_cancelling_ends_a_transfer_within_a_second(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path, keys: SftpKeys
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    with serving(tmp_path / "nas", keys, stall_after=1_300_000) as server:
        keys.trust(server.port)
        big_song(server.folder / "a.wav", 1_800_000)
        async with running(config):
            job_id = await add(queue, server.url("a.wav"), str(tmp_path / "out"))
            await job_until(queue, job_id, lambda job: bool(job.progress and job.progress.fraction))
            assert len(transfers()) == 1
            asked = time.monotonic()
            await queue.cancel(job_id)
            while transfers():
                assert time.monotonic() - asked < 1.0
                await asyncio.sleep(0.02)
            assert (await finished(queue, job_id, 10)).is_cancelled


async def add(queue: RenderQueue, place: str, output_dir: str) -> str:
    """A job as a foreign producer adds it, tried again soon."""
    batch = f"b{uuid4().hex[:8]}"
    data = {
        "batchId": batch,
        "audioFile": {"id": "a1", "path": place, "originalName": "a.wav"},
        "template": "flame",
        "outputFormat": "1080p",
        "renderDbId": None,
        "outputDir": output_dir,
        "quality": "draft",
    }
    make_output_dir(output_dir)
    options = {"jobId": f"{batch}-a1-1080p", "attempts": 5, "backoff": {"type": "fixed", "delay": 1_000}}
    await queue.access.queue.add("render", data, options)
    return str(options["jobId"])


async def test_nothing_there_is_ever_overwritten_and_a_video_is_sent_once(tmp_path: Path, server: SftpServer) -> None:
    videos = server.folder / "videos"
    await transfer(tmp_path, FolderRequest(url=server.url("videos")))
    (videos / "s_v1.mp4").write_bytes(b"somebody's")
    video = tmp_path / "video.mp4"
    video.write_bytes(os.urandom(700_000))
    request = SendRequest(
        path=str(video),
        folder=server.url("videos"),
        name_pattern="{song}_v{n}",
        name_fields={"song": "s"},
        key="k",
        record=str(tmp_path / "sent"),
    )
    seen: list[Progress] = []
    sent = await transfer(tmp_path, request, seen)
    assert sent == Transferred(place=server.url("videos/s_v2.mp4"), size=700_000)
    assert (seen[-1].stage, seen[-1].fraction) == (Stage.SENDING, 1.0)
    again = await transfer(tmp_path, request)
    assert again == sent, "an attempt that died right after the transfer has left its record"
    assert {path.name: path.read_bytes() for path in videos.iterdir()} == {
        "s_v1.mp4": b"somebody's",
        "s_v2.mp4": video.read_bytes(),
    }
    Path(request.record).unlink()
    third = await transfer(tmp_path, request)
    assert third.place == server.url("videos/s_v3.mp4")


async def test_a_song_that_changes_is_fetched_anew(tmp_path: Path, server: SftpServer) -> None:
    song, target = server.folder / "a.wav", tmp_path / "got" / "a.wav"
    target.parent.mkdir()
    song.write_bytes(os.urandom(1000))
    request = FetchRequest(url=server.url("a.wav"), path=str(target))
    assert (await transfer(tmp_path, request)).size == 1000
    assert target.read_bytes() == song.read_bytes()
    song.write_bytes(os.urandom(3000))
    target.with_name("a.wav.part").write_bytes(b"the beginning of the old one")
    await transfer(tmp_path, request)
    assert target.read_bytes() == song.read_bytes()


async def test_what_cannot_be_fetched_says_why_and_whether_to_try_again(
    tmp_path: Path, keys: SftpKeys, server: SftpServer
) -> None:
    async def error(url: str) -> EtherealError:
        with pytest.raises(EtherealError) as caught:
            await transfer(tmp_path, FetchRequest(url=url, path=str(tmp_path / "a.wav")))
        assert PASSWORD not in str(caught.value)
        return caught.value

    (server.folder / "folder").mkdir()
    assert isinstance(await error(server.url("none.wav")), FileMissingError)
    assert isinstance(await error(server.url("folder")), NotAudioError)
    assert isinstance(await error(server.url("a.wav").replace("ada@", f"ada:{PASSWORD}@")), LocationError)
    known_hosts = keys.home / ".ssh" / "known_hosts"
    known_hosts.write_text(known_hosts.read_text().replace(str(server.port), "1"))
    stranger = await error(server.url("none.wav"))
    assert isinstance(stranger, FileUnreadableError), "a host whose key nobody knows is not talked to"
    keys.trust(server.port)
    shutil.rmtree(server.folder)
    server.kill()
    gone = await error(server.url("none.wav"))
    assert isinstance(gone, TransferError)
    assert gone.retryable


async def test_a_worker_without_the_package_says_what_to_install(
    tmp_path: Path, server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = tmp_path / "shadow" / "sshfs"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text("raise ImportError('No module named sshfs')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(shadow.parent), *sys.path]))
    with pytest.raises(OutOfReachError, match=r"pip install 'ethereal-gui\[farm\]'"):
        await transfer(tmp_path, FetchRequest(url=server.url("a.wav"), path=str(tmp_path / "a.wav")))
