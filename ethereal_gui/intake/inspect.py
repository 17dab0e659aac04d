"""What became of a drop: what was taken and what was not, and why."""

from dataclasses import dataclass
from pathlib import Path

from ethereal_gui.domain.audio_file import AudioFile, display_name
from ethereal_gui.domain.errors import EtherealError, NotAudioError
from ethereal_gui.intake.expand import Candidate


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


def passed_over(candidate: Candidate) -> Skipped:
    """For a candidate with a problem."""
    return Skipped(candidate.path, f"“{display_name(candidate.path)}” was skipped: {candidate.problem}.")


def refused(path: Path, error: EtherealError) -> Skipped:
    """For a file that turned out to be no song; what is not audio at all needs no advice."""
    return Skipped(path, error.message if isinstance(error, NotAudioError) else str(error))
