"""Rounds of random kills: a batch is rendered by a real worker process while something dies at random moments.

Whatever was killed (the render's child process, the worker, the embedded server), in the end every job is completed
exactly once, every video is whole, nothing else lies in the output folder, and the history says the same.

``python -m tests.faults.kill_rounds 100`` is the long version (`make soak`).
"""

import contextlib
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import psutil

from ethereal_gui.store.renders import RenderStore
from tests.integration.rendering import environment, make_song, render_children, run, start, videos

SONGS = 2
SONG_SECONDS = 2.0
MOST_KILLS = 4
ROUND_SECONDS = 900.0
# A job has three attempts, and a killed child costs one.
MOST_CHILD_KILLS = 2
LOOK_SECONDS = 0.1
TARGETS = ("child", "worker", "server")


@dataclass
class Kill:
    """One process that was killed, and the seconds until its work went on, None while it has not.

    After a killed server: until one answers again. After a killed child or worker: until something is rendered again,
    or nothing is left to render; the job of a killed child itself waits 10 s, then 20 s, for its next attempt.
    """

    target: str
    at: float
    recovery: float | None = None


@dataclass
class Round:
    """What happened in one round.

    Attributes:
        lost: jobs that were not completed, or whose video is not there.
        duplicates: videos, or rows of the history, more than one for a job.
        invalid: videos that do not decode to all their frames, and files that nobody wants.
        faults: the same in words.
    """

    seed: int
    kills: list[Kill] = field(default_factory=list)
    seconds: float = 0.0
    jobs: int = SONGS
    lost: int = 0
    duplicates: int = 0
    invalid: int = 0
    faults: list[str] = field(default_factory=list)

    def count(self, target: str) -> int:
        """Kills of one kind."""
        return sum(kill.target == target for kill in self.kills)


class Scene:
    """One data folder with its worker and server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = environment(folder / "data")
        self.worker = start(["worker"], self.env, folder)
        self.killed: set[int] = set()

    def status(self) -> dict[str, Any] | None:
        """The only batch, or None while the server is away."""
        done = run(["status", "--json"], self.env, self.folder, 60)
        if not done.stdout:
            return None
        batches = json.loads(done.stdout)["batches"]
        return dict(batches[0]) if batches else None

    def kill(self, target: str) -> Kill | None:
        """Kill -9. None when there is nothing of that kind to kill."""
        victims: list[psutil.Process] = []
        if target == "child":
            victims = render_children(self.worker.pid)[:1]
        elif target == "worker":
            victims = [psutil.Process(self.worker.pid)]
        else:
            state = self.folder / "data" / "server"
            victims = [
                process
                for process in psutil.process_iter(["cwd", "exe"])
                if process.info["cwd"] == str(state) and "server" in Path(process.info["exe"] or "").name
            ]
        for victim in victims[:1]:
            self.killed.add(victim.pid)
            if target == "worker":
                self.killed.update(child.pid for child in render_children(victim.pid))
            victim.kill()
        kill = Kill(target, time.monotonic()) if victims else None
        if victims and target == "worker":
            self.worker.communicate()
            self.worker = start(["worker"], self.env, self.folder)
        return kill

    def renders(self) -> bool:
        """Something is rendered by a process that was not killed."""
        try:
            return any(child.pid not in self.killed for child in render_children(self.worker.pid))
        except psutil.NoSuchProcess:
            return False

    def serves(self) -> bool:
        """The server takes connections."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            client.connect(str(self.folder / "data" / "server" / "redis.sock"))
            return True
        return False

    def close(self) -> None:
        """Stop the worker in good order, and with it the server."""
        self.worker.terminate()
        try:
            self.worker.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.worker.kill()
            raise


class Watch(threading.Thread):
    """Looks again and again whether what was killed has recovered."""

    def __init__(self, scene: Scene, kills: list[Kill]) -> None:
        super().__init__(daemon=True)
        self._scene = scene
        self._kills = kills
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            open_kills = [kill for kill in list(self._kills) if kill.recovery is None]
            for kills, holds in (
                ([kill for kill in open_kills if kill.target == "server"], self._scene.serves),
                ([kill for kill in open_kills if kill.target != "server"], self._scene.renders),
            ):
                if kills and holds():
                    self._recovered(kills)

    def finish(self) -> None:
        """Everything is done, and with it all recoveries."""
        self._over.set()
        self.join()
        self._recovered([kill for kill in self._kills if kill.recovery is None])

    @staticmethod
    def _recovered(kills: list[Kill]) -> None:
        for kill in kills:
            kill.recovery = time.monotonic() - kill.at


def play(seed: int, folder: Path) -> Round:
    """One round, and what came of it."""
    dice = random.Random(seed)
    result = Round(seed)
    began = time.monotonic()
    for number in range(SONGS):
        make_song(folder / f"song {number}.wav", SONG_SECONDS)
    scene = Scene(folder)
    watch = Watch(scene, result.kills)
    watch.start()
    try:
        names = [f"song {number}.wav" for number in range(SONGS)]
        submitted = run(["submit", *names, "-f", "1080p", "-o", "out", "--json"], scene.env, folder)
        assert submitted.returncode == 0, submitted.stderr
        job_ids = json.loads(submitted.stdout)["jobIds"]
        for _ in range(dice.randint(1, MOST_KILLS)):
            time.sleep(dice.uniform(0.2, 4.0))
            target = dice.choice(TARGETS)
            if target == "child" and result.count("child") >= MOST_CHILD_KILLS:
                target = "server"
            kill = scene.kill(target)
            if kill:
                result.kills.append(kill)
        status = until_ended(scene, began)
        watch.finish()
        judge(result, folder, job_ids, status)
    finally:
        scene.close()
    result.seconds = time.monotonic() - began
    return result


def until_ended(scene: Scene, began: float) -> dict[str, Any]:
    """The batch once nothing more happens to it, or as it is when the time is over."""
    while True:
        status = scene.status()
        if status and status["completed"] + status["failed"] == SONGS:
            return status
        assert scene.worker.poll() is None, scene.worker.communicate()
        if time.monotonic() - began > ROUND_SECONDS:
            return status or {"jobs": []}
        time.sleep(0.5)


def judge(result: Round, folder: Path, job_ids: list[str], status: dict[str, Any]) -> None:
    """Count what is not as it shall be: everything completed exactly once, and whole."""
    paths = {job["id"]: Path(job["outputPath"]) for job in status["jobs"] if job["outputPath"]}
    for job_id in job_ids:
        path = paths.get(job_id)
        if path is None or not path.is_file():
            result.lost += 1
            result.faults.append(f"{job_id} is lost: {status}")
        elif (frames := _frames(path)) != round(SONG_SECONDS * 30):
            result.invalid += 1
            result.faults.append(f"{path.name} has {frames} frames")
    expected = {path.name for path in paths.values()}
    for name in set(videos(folder / "out")) - expected:
        if name.startswith("."):
            result.invalid += 1
        else:
            result.duplicates += 1
        result.faults.append(f"nobody wants {name}")
    if len(set(paths.values())) < len(paths):
        result.lost += 1
        result.faults.append(f"two jobs say that they made the same video: {status}")
    rows = RenderStore(folder / "data" / "history.sqlite3").search()
    result.duplicates += sum(number - 1 for number in Counter(row.job_id for row in rows).values())
    if sorted((row.job_id, row.status) for row in rows) != sorted((job_id, "completed") for job_id in job_ids):
        result.faults.append(f"the history has {[(row.job_id, row.status) for row in rows]}")


def _frames(path: Path) -> int:
    """How many frames a video decodes to, 0 when it does not open."""
    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    except av.error.FFmpegError:
        return 0


def main(rounds: int, first_seed: int = 1) -> int:
    """Play so many rounds and print the figures. Returns 1 when anything was lost, made twice or broken."""
    played: list[Round] = []
    for seed in range(first_seed, first_seed + rounds):
        with tempfile.TemporaryDirectory(prefix="eth-", ignore_cleanup_errors=True) as folder:
            result = play(seed, Path(folder))
        played.append(result)
        killed = ", ".join(f"{kill.target} ({kill.recovery:.1f} s)" for kill in result.kills) or "nothing"
        print(f"round {seed}: killed {killed}; done in {result.seconds:.0f} s", *result.faults, sep="\n  ", flush=True)
    print(summary(played))
    return 1 if any(one.faults for one in played) else 0


def summary(played: list[Round]) -> str:
    """The figures of all rounds."""
    kills = [kill for one in played for kill in one.kills]
    lines = [
        f"{len(played)} rounds, {sum(one.jobs for one in played)} jobs, {len(kills)} kills: "
        f"lost {sum(one.lost for one in played)}, duplicates {sum(one.duplicates for one in played)}, "
        f"invalid files {sum(one.invalid for one in played)}; longest round {max(one.seconds for one in played):.0f} s"
    ]
    for target in TARGETS:
        times = [kill.recovery for kill in kills if kill.target == target and kill.recovery is not None]
        if times:
            took = f"recovery median {statistics.median(times):.1f} s, worst {max(times):.1f} s"
            lines.append(f"  {target:6} killed {len(times):3} times, {took}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main(*(int(argument) for argument in sys.argv[1:])))
