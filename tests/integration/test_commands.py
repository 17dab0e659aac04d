"""The commands as a person starts them: processes of their own, the embedded server, real videos."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.rendering import environment, make_song, render_children, run, start, videos


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A fresh data folder, with a space and an umlaut in its name."""
    return environment(tmp_path / "dätä folder")


def status(env: dict[str, str], cwd: Path) -> dict[str, Any]:
    done = run(["status", "--json"], env, cwd)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def wait_for(env: dict[str, str], cwd: Path, field: str, count: int, seconds: float = 60) -> dict[str, Any]:
    """The only batch once so many of its jobs are in a state."""
    deadline = time.monotonic() + seconds
    while True:
        (batch,) = status(env, cwd)["batches"]
        if batch[field] == count:
            return dict(batch)
        assert time.monotonic() < deadline, batch
        time.sleep(0.2)


def test_submit_status_and_a_draining_worker(env: dict[str, str], tmp_path: Path) -> None:
    make_song(tmp_path / "one.mp3", 0.5)
    make_song(tmp_path / "two.wav", 0.5)
    (tmp_path / "three.mp3").write_bytes(b"")
    out = tmp_path / "out"
    submitted = run(
        ["submit", "one.mp3", "two.wav", "-f", "1080p", "-f", "1080p_vertical", "-o", str(out), "--json"], env, tmp_path
    )
    assert submitted.returncode == 0, submitted.stderr
    batch = json.loads(submitted.stdout)
    assert set(batch) == {"batchId", "jobIds"}
    assert len(batch["jobIds"]) == 4

    before = status(env, tmp_path)["batches"][0]
    assert (before["batchId"], before["total"], before["pending"]) == (batch["batchId"], 4, 4)
    assert set(before["jobs"][0]) == {"id", "state", "progress", "outputPath", "failedReason"}

    worked = run(["worker", "--drain"], env, tmp_path, 240)
    assert worked.returncode == 0, worked.stderr
    after = status(env, tmp_path)["batches"][0]
    assert (after["completed"], after["failed"], after["pending"], after["processing"]) == (4, 0, 0, 0)
    assert sorted(Path(job["outputPath"]).name for job in after["jobs"]) == videos(out)
    assert [job["id"] for job in after["jobs"]] == batch["jobIds"]

    again = run(
        ["submit", "one.mp3", "-f", "1080p", "-o", str(out), "--batch-id", batch["batchId"], "--json"], env, tmp_path
    )
    assert again.returncode == 0, again.stderr
    assert status(env, tmp_path)["batches"][0]["total"] == 4

    refused = run(["submit", "three.mp3", "-f", "1080p"], env, tmp_path)
    assert refused.returncode == 1
    assert "three.mp3" in refused.stderr
    assert "empty" in refused.stderr


def test_render_makes_a_video_without_a_queue_and_never_overwrites(env: dict[str, str], tmp_path: Path) -> None:
    make_song(tmp_path / "one.ogg", 0.5)
    for _ in range(2):
        done = run(["render", "one.ogg", "-f", "1080p", "-t", "flame", "-o", "out"], env, tmp_path)
        assert done.returncode == 0, done.stderr
        assert Path(done.stdout.strip()).is_file()
    assert [name[10:] for name in videos(tmp_path / "out")] == ["_one_1080p_v1.mp4", "_one_1080p_v2.mp4"]
    assert not (tmp_path / "dätä folder" / "server").exists(), "render needs no server"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["render", "x.mp3", "-f", "8mm"], "1080p_vertical"),
        (["submit", "x.mp3", "-t", "nope"], "flame"),
        (["submit"], "FILES"),
        (["worker", "--concurrency", "0"], "concurrency"),
        (["status", "--nope"], "nope"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(
    env: dict[str, str], tmp_path: Path, arguments: list[str], word: str
) -> None:
    make_song(tmp_path / "x.mp3", 0.2)
    done = run(arguments, env, tmp_path)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_batch_is_exit_code_2(env: dict[str, str], tmp_path: Path) -> None:
    done = run(["status", "nope"], env, tmp_path)
    assert (done.returncode, "nope" in done.stderr) == (2, True)


def test_a_failed_job_makes_the_draining_worker_and_status_exit_with_1(env: dict[str, str], tmp_path: Path) -> None:
    make_song(tmp_path / "one.mp3", 0.2)
    run(["submit", "one.mp3", "-f", "1080p"], env, tmp_path)
    (tmp_path / "one.mp3").unlink()
    assert run(["worker", "--drain"], env, tmp_path).returncode == 1
    done = run(["status"], env, tmp_path)
    assert done.returncode == 1
    assert "not there any more" in " ".join(done.stdout.replace("│", " ").split())


def test_a_server_that_is_not_there_is_told_without_a_stack_trace(env: dict[str, str], tmp_path: Path) -> None:
    done = run(["status"], {**env, "REDIS_URL": "redis://:secret@127.0.0.1:1"}, tmp_path)
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_says_how_to_reach_the_server_and_help_is_quick_to_read(env: dict[str, str], tmp_path: Path) -> None:
    done = run(["doctor"], env, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "redis-cli -s" in done.stdout
    helped = run(["--help"], env, tmp_path)
    assert helped.returncode == 0
    for command in ("render", "submit", "status", "worker", "demo", "doctor"):
        assert command in helped.stdout


def test_without_a_display_the_window_says_what_else_there_is(env: dict[str, str], tmp_path: Path) -> None:
    bare = {name: value for name, value in env.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = run([], bare, tmp_path)
    assert done.returncode == 1
    assert "ethereal demo" in done.stderr


def busy_worker(env: dict[str, str], tmp_path: Path, seconds: float) -> "subprocess.Popen[str]":
    """A worker process in the middle of a render."""
    make_song(tmp_path / "long.wav", seconds)
    done = run(["submit", "long.wav", "-f", "1080p", "-o", "out"], env, tmp_path)
    assert done.returncode == 0, done.stderr
    worker = start(["worker"], env, tmp_path)
    deadline = time.monotonic() + 60
    while not (status(env, tmp_path)["batches"][0]["jobs"][0]["progress"] or 0) > 0:
        assert time.monotonic() < deadline
        assert worker.poll() is None, worker.communicate()
        time.sleep(0.1)
    return worker


@pytest.mark.parametrize(("number", "limit"), [(signal.SIGTERM, "0"), (signal.SIGINT, "0"), (signal.SIGTERM, "600")])
def test_a_signal_puts_the_job_back_and_exits_with_0(
    env: dict[str, str], tmp_path: Path, number: int, limit: str
) -> None:
    """With a limit of 600 s the first signal lets the render go on and the second one ends it."""
    worker = busy_worker({**env, "ETHEREAL_SHUTDOWN_TIMEOUT": limit}, tmp_path, 200.0)
    (child,) = render_children(worker.pid)
    worker.send_signal(number)
    if limit != "0":
        time.sleep(1.0)
        assert worker.poll() is None
        assert child.is_running()
        worker.send_signal(number)
    _, errors = worker.communicate(timeout=20)
    assert worker.returncode == 0, errors
    assert not psutil.pid_exists(child.pid)
    (batch,) = status(env, tmp_path)["batches"]
    assert (batch["pending"], batch["processing"], batch["failed"]) == (1, 0, 0)
    assert videos(tmp_path / "out") == [] or all(name.startswith(".") for name in videos(tmp_path / "out"))


def test_the_job_of_a_killed_worker_is_taken_up_again_within_30_seconds(env: dict[str, str], tmp_path: Path) -> None:
    worker = busy_worker(env, tmp_path, 4.0)
    (child,) = render_children(worker.pid)
    worker.kill()
    worker.communicate()
    killed = time.monotonic()
    second = start(["worker"], env, tmp_path)
    try:
        while not render_children(second.pid):
            assert time.monotonic() - killed < 30
            time.sleep(0.1)
        assert not psutil.pid_exists(child.pid), "a render never outlives its worker"
        wait_for(env, tmp_path, "completed", 1)
    finally:
        second.terminate()
        second.communicate(timeout=60)
    assert len(videos(tmp_path / "out")) == 1
