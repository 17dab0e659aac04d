"""Spoils files of the corpus at random and has them looked into, as a drop on the window would be.

    python -m tests.fuzz.probe_fuzz [--seconds N] [--seed N] [--only N] [--keep DIR]

A file that ends its child, by a crash or because there is no end to it, is kept in DIR and told; exit code 1 then. Each
file depends on the seed and its number alone: ``--only`` makes one again. Mutation is blind: FFmpeg comes in a wheel
that is not instrumented, so no coverage could guide it.
"""

import argparse
import random
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.intake.expand import Candidate
from ethereal_gui.worker.probing import CHILDREN, Prober
from tests.corpus import disguises, sounds

LARGEST_SEED = 300_000
ODD_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
PATIENCE = 10.0
TELL_SECONDS = 15.0


@dataclass(slots=True)
class Tally:
    """What became of the files so far; ``slowest``: seconds and name; ``kept``: copies of those that ended a child."""

    tried: int = 0
    taken: int = 0
    slowest: tuple[float, str] = (0.0, "")
    kept: list[Path] = field(default_factory=list)


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    """Suffix and bytes of the corpus' smaller files, whole and damaged ones."""
    found = [one.path for one in (*sounds.make(folder), *disguises.make(folder)) if one.path.is_file()]
    return [(path.suffix, path.read_bytes()) for path in found if 0 < path.stat().st_size <= LARGEST_SEED]


def mutant(pool: Sequence[tuple[str, bytes]], seed: int, number: int) -> tuple[str, bytes]:
    """File ``number`` of a run: a seed with one to a few dozen changes, mostly near its beginning."""
    dice = random.Random(f"{seed}/{number}")
    suffix, data = dice.choice(pool)
    spoilt = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 8, 32))):
        _change(spoilt, dice, pool)
    return suffix, bytes(spoilt)


def _change(data: bytearray, dice: random.Random, pool: Sequence[tuple[str, bytes]]) -> None:
    size = max(len(data), 1)
    at = dice.randrange(dice.choice((min(size, 64), min(size, 4_096), size)))
    length = dice.choice((1, 2, 4, 16, 256, 4_096))
    match dice.randrange(7):
        case 0:
            data[at : at + 1] = bytes([data[at] ^ 1 << dice.randrange(8)]) if data else b"\0"
        case 1:
            width, order = dice.choice("BHIQ"), dice.choice("<>")
            number = dice.choice(ODD_NUMBERS) & (1 << 8 * struct.calcsize(width)) - 1
            data[at : at + struct.calcsize(width)] = struct.pack(order + width, number)
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = data[at : at + length] * dice.choice((1, 2, 50))
        case 4:
            data[at:at] = dice.randbytes(length)
        case 5:
            other = dice.choice(pool)[1]
            start = dice.randrange(max(len(other), 1))
            data[at : at + length] = other[start : start + length]
        case _:
            del data[max(at, 8) :]


def look(prober: Prober, path: Path, tally: Tally, keep: Path) -> None:
    """One file, as a drop on the window would be looked into, cover included."""
    before, began = prober.lost, time.monotonic()
    answer = prober.examine(Candidate(path, named=True))
    if isinstance(answer, AudioFile):
        tally.taken += 1
        prober.cover(path)
    tally.tried += 1
    tally.slowest = max(tally.slowest, (time.monotonic() - began, path.name))
    if prober.lost > before:
        keep.mkdir(parents=True, exist_ok=True)
        tally.kept.append(Path(shutil.copy(path, keep)))
        print(f"{path.name} ended its child: {answer}", flush=True)
    path.unlink()


def run(pool: Sequence[tuple[str, bytes]], seed: int, numbers: Iterator[int], keep: Path, prober: Prober) -> Tally:
    """Files of these numbers, one after the other."""
    tally = Tally()
    folder = Path(tempfile.mkdtemp(prefix="ethereal-fuzz-"))
    for number in numbers:
        suffix, data = mutant(pool, seed, number)
        path = folder / f"{seed}-{number}{suffix}"
        path.write_bytes(data)
        look(prober, path, tally, keep)
    folder.rmdir()
    return tally


def until(deadline: float, start: int, step: int) -> Iterator[int]:
    """``start``, ``start + step``, ... while there is time."""
    told = time.monotonic()
    for number in count(start, step):
        if time.monotonic() > deadline:
            return
        if start == 0 and time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            print(f"about {number} files", flush=True)
        yield number


def main() -> int:
    """Fuzz as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.probe_fuzz", description="Fuzz the look into files.")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--only", type=int, metavar="N", help="only the file of that number")
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"), metavar="DIR", help="for files that end a child")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ethereal-seeds-") as folder:
        pool = seeds(Path(folder))
    began = time.monotonic()
    if options.only is not None:
        with Prober(children=1, seconds=PATIENCE) as prober:
            tallies = [run(pool, options.seed, iter([options.only]), options.keep, prober)]
    else:
        # A prober for each thread, so that a lost child belongs to the file that was being looked into.
        with ThreadPoolExecutor(CHILDREN) as threads:
            tallies = list(threads.map(lambda n: _share(pool, options, began, n), range(CHILDREN)))
    seconds, name = max(tally.slowest for tally in tallies)
    tried, kept = sum(tally.tried for tally in tallies), [path for tally in tallies for path in tally.kept]
    print(
        f"seed {options.seed}: {tried} files in {time.monotonic() - began:.0f} s, "
        f"{sum(tally.taken for tally in tallies)} taken as songs, {len(kept)} ended a child, "
        f"slowest {seconds:.1f} s ({name})"
    )
    return 1 if kept else 0


def _share(pool: Sequence[tuple[str, bytes]], options: argparse.Namespace, began: float, n: int) -> Tally:
    with Prober(children=1, seconds=PATIENCE) as prober:
        return run(pool, options.seed, until(began + options.seconds, n, CHILDREN), options.keep, prober)


if __name__ == "__main__":
    sys.exit(main())
