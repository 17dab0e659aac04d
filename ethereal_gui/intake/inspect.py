"""Dropped paths -> what was taken and what was not, and why."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import EtherealError, NotAudioError
from ethereal_gui.intake.expand import Candidate, expand
from ethereal_gui.intake.probe import display_name, probe


@dataclass(frozen=True, slots=True)
class Skipped:
    """A path that was not taken. ``reason`` is a sentence that names the file."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of a drop."""

    accepted: tuple[AudioFile, ...]
    skipped: tuple[Skipped, ...]


def find_candidates(paths: Iterable[Path]) -> list[Candidate]:
    """All files to look into; blocking, so off the window's loop."""
    return list(expand(paths))


def examine(candidate: Candidate) -> AudioFile | Skipped:
    """Look into one file; never raises for bad input."""
    name = display_name(candidate.path)
    if candidate.problem:
        return Skipped(candidate.path, f"“{name}” was skipped: {candidate.problem}.")
    try:
        return probe(candidate.path)
    except NotAudioError as error:
        return Skipped(candidate.path, error.message)
    except EtherealError as error:
        return Skipped(candidate.path, str(error))


def inspect_paths(paths: Iterable[Path], on_progress: Callable[[int, int], None] | None = None) -> IntakeResult:
    """Expand and probe; ``on_progress(done, total)`` is called after each file."""
    candidates = find_candidates(paths)
    accepted: list[AudioFile] = []
    skipped: list[Skipped] = []
    for done, candidate in enumerate(candidates, 1):
        result = examine(candidate)
        if isinstance(result, AudioFile):
            accepted.append(result)
        else:
            skipped.append(result)
        if on_progress:
            on_progress(done, len(candidates))
    return IntakeResult(tuple(accepted), tuple(skipped))
