"""What a rendering child cannot do any more, found out by trying; and what becomes of a render without memory."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ethereal_gui.domain.job import JobStatus
from ethereal_gui.queue.connection import ServerAddress
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.worker import config as worker_settings
from tests.integration.rendering import QUICK, finished, render_children, running, song, videos, worker_config

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes these things away")

# Confines itself as a child does, tries everything, and prints what happened.
_TRIES = """
import errno, json, os, resource, signal, socket, sys
from pathlib import Path
from ethereal_gui.worker.confine import confine

inside, outside = Path(sys.argv[1]), Path(sys.argv[2])
report = {"taken": confine([inside], memory=300_000_000)}

def attempt(name, act):
    try:
        act()
        report[name] = "done"
    except OSError as error:
        report[name] = errno.errorcode.get(error.errno, str(error))
    except MemoryError:
        report[name] = "MemoryError"

attempt("write inside", lambda: (inside / "new").write_text("x"))
attempt("rename inside", lambda: (inside / "new").rename(inside / "newer"))
attempt("link inside", lambda: os.link(inside / "newer", inside / "newest"))
attempt("write outside", lambda: (outside / "new").write_text("x"))
attempt("overwrite outside", lambda: (outside / "kept").write_text("x"))
attempt("truncate outside", lambda: os.truncate(outside / "kept", 0))
attempt("remove outside", lambda: (outside / "kept").unlink())
attempt("make a folder outside", lambda: (outside / "folder").mkdir())
attempt("write through a link", lambda: (inside / "link" / "new").write_text("x"))
attempt("read outside", lambda: (outside / "kept").read_text())
attempt("connect", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[3])), 2))
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("allocate", lambda: bytearray(400_000_000))
report["first to go"] = Path("/proc/self/oom_score_adj").read_text().strip()
report["core"] = resource.getrlimit(resource.RLIMIT_CORE)
report["status"] = Path("/proc/self/status").read_text()
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("confined")
    inside, outside = folder / "inside", folder / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (inside / "link").symlink_to(outside)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        command = [sys.executable, "-c", _TRIES, str(inside), str(outside), port]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (outside / "kept").read_text() == "kept"
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_memory_privileges_and_core_dumps_are_limited(tried: dict[str, Any]) -> None:
    assert {"core", "memory", "privileges"} <= set(tried["taken"])
    assert tried["allocate"] == "MemoryError"
    assert tried["core"] == [0, 0]
    assert "NoNewPrivs:\t1" in tried["status"]
    assert tried["first to go"] == "500"


def test_nothing_outside_its_folders_can_be_written(tried: dict[str, Any]) -> None:
    if "files" not in tried["taken"]:
        pytest.skip("this kernel has no Landlock")
    inside = {name: result for name, result in tried.items() if name.endswith("inside")}
    assert set(inside.values()) == {"done"}, inside
    outside = {name: result for name, result in tried.items() if name.endswith("outside") and name != "read outside"}
    assert {*outside.values(), tried["write through a link"]} <= {"EACCES", "EPERM", "EXDEV"}, outside
    assert len(outside) == 5
    assert tried["read outside"] == "done"


def test_it_reaches_no_server_and_no_other_process(tried: dict[str, Any]) -> None:
    if "network" not in tried["taken"] or "signals" not in tried["taken"]:
        pytest.skip("this kernel's Landlock knows nothing of networks or signals")
    assert tried["connect"] == "EACCES"
    assert tried["signal"] == "EPERM"


async def test_a_render_without_enough_memory_fails_alone(
    server_address: ServerAddress,
    queue: RenderQueue,
    queue_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = worker_config(server_address, tmp_path, queue_name)
    monkeypatch.setattr(worker_settings, "usable_memory", lambda: 1)
    monkeypatch.setattr(worker_settings, "LEAST_MEMORY", 200_000_000)
    async with running(config):
        (first,) = (await queue.add_batch_job([song(tmp_path / "a.wav")], "flame", ["1080p"], options=QUICK)).job_ids
        job = await finished(queue, first)
        assert (job.status, job.attempts_made) == (JobStatus.FAILED, 1), job.failed_reason
        assert "memory" in (job.failed_reason or "")
        assert render_children() == []
        monkeypatch.undo()
        (second,) = (await queue.add_batch_job([song(tmp_path / "b.wav")], "flame", ["1080p"], options=QUICK)).job_ids
        assert (await finished(queue, second)).status is JobStatus.COMPLETED
    assert len(videos(tmp_path / "out")) == 1
