"""Rounds of random kills: a batch is rendered by a real worker process while something dies at random moments.

Whatever was killed (the render's child process, the worker, the embedded server), in the end every job is completed
exactly once, every video is whole, nothing else lies in the output folder, and the history says the same.

``python -m tests.faults.kill_rounds 100`` is the long version (`make soak`).
"""

import json
import random
import subprocess
import sys
import tempfile
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
ROUND_SECONDS = 240.0
# A job has three attempts, and a killed child costs one.
MOST_CHILD_KILLS = 2


@dataclass
class Round:
    """What happened in one round."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    worker_starts: int = 1


class Scene:
    """One data folder with its worker and server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = environment(folder / "data")
        self.worker = start(["worker"], self.env, folder)

    def status(self) -> dict[str, Any] | None:
        """The only batch, or None while the server is away."""
        done = run(["status", "--json"], self.env, self.folder, 60)
        if not done.stdout:
            return None
        batches = json.loads(done.stdout)["batches"]
        return dict(batches[0]) if batches else None

    def kill(self, target: str) -> bool:
        """Kill -9. False when there is nothing of that kind to kill."""
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
            victim.kill()
        if victims and target == "worker":
            self.worker.communicate()
            self.worker = start(["worker"], self.env, self.folder)
        return bool(victims)

    def close(self) -> None:
        """Stop the worker in good order, and with it the server."""
        self.worker.terminate()
        try:
            self.worker.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.worker.kill()
            raise


def play(seed: int, folder: Path) -> Round:
    """One round; an AssertionError says what was lost."""
    dice = random.Random(seed)
    result = Round(seed)
    began = time.monotonic()
    for number in range(SONGS):
        make_song(folder / f"song {number}.wav", SONG_SECONDS)
    scene = Scene(folder)
    try:
        names = [f"song {number}.wav" for number in range(SONGS)]
        submitted = run(["submit", *names, "-f", "1080p", "-o", "out", "--json"], scene.env, folder)
        assert submitted.returncode == 0, submitted.stderr
        job_ids = json.loads(submitted.stdout)["jobIds"]
        for _ in range(dice.randint(1, MOST_KILLS)):
            time.sleep(dice.uniform(0.2, 4.0))
            target = dice.choice(["child", "worker", "server"])
            if target == "child" and result.kills["child"] >= MOST_CHILD_KILLS:
                target = "server"
            if scene.kill(target):
                result.kills[target] += 1
                result.worker_starts += target == "worker"
        while True:
            status = scene.status()
            if status and status["completed"] + status["failed"] == SONGS:
                break
            assert time.monotonic() - began < ROUND_SECONDS, f"seed {seed}: not done in time: {status}"
            assert scene.worker.poll() is None, scene.worker.communicate()
            time.sleep(0.5)
        check(seed, folder, job_ids, status)
    finally:
        scene.close()
    result.seconds = time.monotonic() - began
    return result


def check(seed: int, folder: Path, job_ids: list[str], status: dict[str, Any]) -> None:
    """Everything was completed exactly once and is whole."""
    assert status["completed"] == SONGS, f"seed {seed}: {status}"
    assert [job["id"] for job in status["jobs"]] == job_ids
    paths = [Path(job["outputPath"]) for job in status["jobs"]]
    assert videos(folder / "out") == sorted(path.name for path in paths), f"seed {seed}: {videos(folder / 'out')}"
    for path in paths:
        with av.open(str(path)) as container:
            frames = sum(1 for _ in container.decode(video=0))
        assert frames == round(SONG_SECONDS * 30), f"seed {seed}: {path} has {frames} frames"
    rows = RenderStore(folder / "data" / "history.sqlite3").search()
    assert sorted((row.job_id, row.status) for row in rows) == sorted((job_id, "completed") for job_id in job_ids)


def main(rounds: int, first_seed: int = 1) -> int:
    """Play so many rounds and print the figures."""
    kills: Counter[str] = Counter()
    longest = 0.0
    for seed in range(first_seed, first_seed + rounds):
        with tempfile.TemporaryDirectory(prefix="eth-", ignore_cleanup_errors=True) as folder:
            result = play(seed, Path(folder))
        kills.update(result.kills)
        longest = max(longest, result.seconds)
        print(f"round {seed}: {dict(result.kills)} in {result.seconds:.0f} s", flush=True)
    print(f"{rounds} rounds, kills {dict(kills)}, lost 0, duplicates 0, longest {longest:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*(int(argument) for argument in sys.argv[1:])))
