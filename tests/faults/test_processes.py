"""Processes that hang, machines that sleep, clocks that jump, many workers at once, and a power cut."""

import asyncio
import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from ethereal_gui.domain.errors import RenderCrashedError
from ethereal_gui.domain.job import JobStatus, Progress, Stage
from ethereal_gui.queue import server_process
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.store.renders import RenderStore
from ethereal_gui.worker import render_worker
from ethereal_gui.worker.patience import Patience
from tests.faults.outages import SOAK
from tests.integration.rendering import (
    QUICK,
    environment,
    finished,
    job_until,
    make_song,
    render_children,
    run,
    running,
    song,
    start,
    videos,
    worker_config,
)

long = pytest.mark.skipif(not SOAK, reason="a long one: make soak")


def is_rendering(seconds: float = 60.0, parent: int | None = None) -> psutil.Process:
    """The one render child, once it has worked for a moment."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        for child in render_children(parent):
            if sum(child.cpu_times()[:2]) > 1.5:
                return child
        time.sleep(0.05)
    raise AssertionError("nothing is rendered")


async def test_a_child_that_hangs_is_killed_and_its_job_tried_again(
    server_address: ServerAddress, queue: RenderQueue, queue_name: str, tmp_path: Path
) -> None:
    config = replace(worker_config(server_address, tmp_path, queue_name), hang_seconds=8.0)
    said: list[str] = []
    async with running(config, said.append):
        (job_id,) = (
            await queue.add_batch_job([song(tmp_path / "a.wav", 3.0)], "flame", ["1080p"], options=QUICK)
        ).job_ids
        await job_until(queue, job_id, lambda job: bool(job.progress and job.progress.stage is Stage.RENDERING))
        (child,) = render_children()
        child.suspend()
        waiting = await job_until(queue, job_id, lambda job: job.queue_state == "delayed", 40)
        assert "made no progress" in (waiting.failed_reason or "")
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        assert any("made no progress" in line for line in await queue.job_log(job_id))
        assert any("will be tried again" in line for line in said)
        await queue.retry(job_id)
        assert (await finished(queue, job_id)).status is JobStatus.COMPLETED
    assert len(videos(tmp_path / "out")) == 1


def test_a_child_that_only_repeats_itself_is_taken_for_hung(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    waiting = Patience(60.0)
    for frame in range(1000):  # as long as it gets on, it may take its time
        now[0] += 1.0
        waiting.heard(Progress(stage=Stage.RENDERING, fraction=0.5, frame=frame))
    for _ in range(59):
        now[0] += 1.0
        waiting.heard(Progress(stage=Stage.RENDERING, fraction=0.5, frame=999))
    now[0] += 1.0
    with pytest.raises(RenderCrashedError, match="no progress for 1 minutes"):
        waiting.heard(Progress(stage=Stage.RENDERING, fraction=0.5, frame=999))


def test_a_night_asleep_is_not_time_without_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    waiting = Patience(600.0)
    for _ in range(100):
        now[0] += 8 * 3600.0
        waiting.waited()


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_jumps_by_an_hour_stalls_nothing(
    hours: int,
    server_address: ServerAddress,
    queue: RenderQueue,
    queue_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker's clock; the server's stays. BullMQ measures by ``time.time``, which is what jumps on a machine."""
    monkeypatch.setattr(render_worker, "LOCK_MS", 2_000)
    monkeypatch.setattr(render_worker, "STALL_CHECK_MS", 500)
    config = worker_config(server_address, tmp_path, queue_name)
    said: list[str] = []
    async with running(config, said.append):
        (job_id,) = (
            await queue.add_batch_job([song(tmp_path / "a.wav", 60)], "flame", ["1080p"], options=QUICK)
        ).job_ids
        await job_until(queue, job_id, lambda job: bool(job.progress and job.progress.stage is Stage.RENDERING))
        (child,) = render_children()
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
        await asyncio.sleep(5.0)  # more than two locks, and many looks for stalled jobs
        (job,) = await queue.snapshots([job_id])
        assert job is not None
        assert (job.status, job.attempts_made) == (JobStatus.PROCESSING, 0)
        assert await queue.access.client.hget(queue.access.keys.key(job_id), "stc") is None
        assert [one.pid for one in render_children()] == [child.pid]
        monkeypatch.setattr(time, "time", real)
        await queue.cancel(job_id)
        await finished(queue, job_id)
    assert sum("started" in line for line in said) == 1
    (row,) = RenderStore(config.history_path).search()
    assert row.completed is not None
    assert row.completed >= row.started


def test_a_machine_that_sleeps_goes_on_where_it_was(tmp_path: Path) -> None:
    """Worker, child and server are stopped for longer than a child may hang and, in the long version, than a lock."""
    env = environment(tmp_path / "data", ETHEREAL_HANG_MINUTES="0.1")
    make_song(tmp_path / "a.wav", 4.0 if not SOAK else 8.0)
    worker = start(["worker"], env, tmp_path)
    try:
        done = run(["submit", "a.wav", "-f", "1080p", "-o", "out", "--json"], env, tmp_path)
        assert done.returncode == 0, done.stderr
        child = is_rendering(parent=worker.pid)
        (server,) = server_process.servers_of(tmp_path / "data" / "server")
        for pid in (child.pid, worker.pid, server):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(40.0 if SOAK else 9.0)
        for pid in (server, worker.pid, child.pid):
            os.kill(pid, signal.SIGCONT)
        batch = until_done(env, tmp_path)
        assert (batch["completed"], batch["failed"]) == (1, 0)
    finally:
        worker.terminate()
        _, said = worker.communicate(timeout=60)
    assert said.count("started") == 1, said
    assert [row.attempts for row in RenderStore(tmp_path / "data" / "history.sqlite3").search()] == [1]
    assert len(videos(tmp_path / "out")) == 1


@long
@pytest.mark.parametrize("hours", [1, -1])
def test_the_whole_machines_clock_jumps_by_an_hour(hours: int, tmp_path: Path) -> None:
    """Server, worker and child under libfaketime; monotonic clocks go on as they do on a real machine."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not libraries:
        pytest.skip("needs libfaketime (apt install faketime)")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    env = environment(
        tmp_path / "data",
        LD_PRELOAD=str(libraries[0]),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    make_song(tmp_path / "a.wav", 20.0)
    worker = start(["worker"], env, tmp_path)
    try:
        assert run(["submit", "a.wav", "-f", "1080p", "-o", "out"], env, tmp_path).returncode == 0
        is_rendering(parent=worker.pid)
        clock.write_text(f"{hours * 3600:+d}")
        batch = until_done(env, tmp_path)
        assert (batch["completed"], batch["failed"]) == (1, 0)
    finally:
        worker.terminate()
        _, said = worker.communicate(timeout=60)
    assert said.count("started") == 1, said
    (row,) = RenderStore(tmp_path / "data" / "history.sqlite3").search()
    assert row.elapsed is not None
    assert 0 < row.elapsed < 600, "what took minutes says so"


@long
def test_three_workers_and_two_submissions_of_the_same_batch_make_each_video_once(tmp_path: Path) -> None:
    env = environment(tmp_path / "data")
    for n in range(4):
        make_song(tmp_path / f"song {n}.wav", 1.0)
    workers = [start(["worker"], env, tmp_path) for _ in range(3)]
    try:
        songs = [f"song {n}.wav" for n in range(4)]
        words = ["submit", *songs, "-f", "1080p", "1080p_square", "-o", "out", "--batch-id", "same"]
        both = [start([*words, "--json"], env, tmp_path) for _ in range(2)]
        answers = [json.loads(one.communicate(timeout=120)[0]) for one in both]
        assert answers[0]["jobIds"] == answers[1]["jobIds"]
        assert len(answers[0]["jobIds"]) == 8
        batch = until_done(env, tmp_path, 300)
        assert (batch["completed"], batch["failed"]) == (8, 0)
    finally:
        for worker in workers:
            worker.terminate()
        said = [worker.communicate(timeout=60)[1] for worker in workers]
    assert sum(text.count("started") for text in said) == 8
    assert len(videos(tmp_path / "out")) == 8
    assert all("_v1.mp4" in name for name in videos(tmp_path / "out"))
    rows = RenderStore(tmp_path / "data" / "history.sqlite3").search()
    assert sorted((row.job_id, row.status) for row in rows) == sorted(
        (job_id, "completed") for job_id in answers[0]["jobIds"]
    )


@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_after_a_power_cut_the_queue_starts_and_says_what_it_recovered(damage: str, tmp_path: Path) -> None:
    env = environment(tmp_path / "data")
    make_song(tmp_path / "a.wav", 3.0)
    worker = start(["worker"], env, tmp_path)
    assert run(["submit", "a.wav", "-f", "1080p", "-o", "out"], env, tmp_path).returncode == 0
    is_rendering(parent=worker.pid)
    (server,) = server_process.servers_of(tmp_path / "data" / "server")
    children = render_children(worker.pid)
    for pid in (server, worker.pid, *(child.pid for child in children)):
        os.kill(pid, signal.SIGKILL)
    worker.communicate()
    psutil.wait_procs(children, 10)
    (file,) = (tmp_path / "data" / "server" / "appendonlydir").glob("*.incr.aof")
    with file.open("r+b") as data:
        if damage == "cut":
            data.truncate(file.stat().st_size - 5)
        else:
            data.seek(0, os.SEEK_END)
            data.write(b"\xff\x00garbage" * 300)
    again = run(["worker", "--drain"], env, tmp_path)
    assert again.returncode == 0, again.stderr
    assert "as after a power cut" in again.stderr
    assert len(videos(tmp_path / "out")) == 1
    assert "as after a power cut" in run(["doctor"], env, tmp_path).stdout


def until_done(env: dict[str, str], folder: Path, seconds: float = 180.0) -> dict[str, Any]:
    """The only batch, once all its jobs are done."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        found = json.loads(run(["status", "--json"], env, folder).stdout or "{}").get("batches")
        if found and found[0]["completed"] + found[0]["failed"] == found[0]["total"]:
            return dict(found[0])
        time.sleep(0.3)
    raise AssertionError("the batch was not done in time")


def test_a_worker_to_which_nobody_listens_any_more_works_on_and_can_be_stopped(tmp_path: Path) -> None:
    """As after `ethereal worker | tee log` whose tee has died."""
    env = environment(tmp_path / "data", ETHEREAL_SHUTDOWN_TIMEOUT="0")
    worker = start(["worker"], env, tmp_path)
    assert worker.stderr is not None
    assert "Worker" in worker.stderr.readline()
    worker.stderr.close()
    make_song(tmp_path / "a.wav", 1.0)
    assert run(["submit", "a.wav", "-f", "1080p", "-o", "out"], env, tmp_path).returncode == 0
    assert until_done(env, tmp_path)["completed"] == 1
    worker.terminate()
    assert worker.wait(60) == 0
