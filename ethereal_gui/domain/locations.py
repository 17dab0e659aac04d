"""Where a job's files are, and what the same place is called on another machine.

A job carries paths as the submitting machine sees them. A worker that has the same drive under another name is told so
by path maps: the longest prefix that fits is replaced. Prefixes of Windows (``Z:\\music``, ``\\\\nas\\music``) are
compared as Windows compares them, on whatever system the worker runs.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from ethereal_gui.domain.errors import SettingsError

_OF_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


@dataclass(frozen=True, slots=True)
class PathMap:
    """One shared folder and its two names.

    Attributes:
        theirs: as jobs name it. ours: as this worker sees it.
    """

    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"{self.theirs}={self.ours}"

    def inside(self, path: str) -> tuple[str, ...] | None:
        """The steps from the shared folder to ``path`` as jobs name it; None when it lies elsewhere."""
        folder, place = pure_path(self.theirs), pure_path(path)
        if type(folder) is not type(place) or ".." in place.parts or not place.is_relative_to(folder):
            return None
        return place.relative_to(folder).parts


def parse_path_map(text: str) -> PathMap:
    """A path map from ``/as/jobs/name/it=/as/seen/here``.

    Raises:
        SettingsError: it is not two absolute paths.
    """
    theirs, equals, ours = (part.strip() for part in text.partition("="))
    if not equals or not is_absolute(theirs) or not is_absolute(ours):
        raise SettingsError(
            f"The path map “{text}” is not valid.",
            hint="Write it as /Volumes/music=/mnt/music: the folder as jobs name it, then as this computer sees it.",
        )
    return PathMap(theirs, ours)


def parse_path_maps(text: str) -> tuple[PathMap, ...]:
    """Path maps from one text, separated by semicolons.

    Raises:
        SettingsError: one of them is not valid.
    """
    return tuple(parse_path_map(part) for part in text.split(";") if part.strip())


def path_here(path: str, maps: Iterable[PathMap]) -> str:
    """``path`` as this worker sees it; unchanged when no map fits."""
    fitting = [(one, steps) for one in maps if (steps := one.inside(path)) is not None]
    if not fitting:
        return path
    best, steps = min(fitting, key=lambda found: len(found[1]))
    return join(best.ours, *steps)


def join(folder: str, *names: str) -> str:
    """A path below ``folder``, written as ``folder`` is."""
    return str(pure_path(folder).joinpath(*names))


def is_absolute(path: str) -> bool:
    """Whether it is an absolute path of any system."""
    return "\0" not in path and pure_path(path).is_absolute()


def pure_path(path: str) -> PurePath:
    """The path in the manner of its own system."""
    return PureWindowsPath(path) if _OF_WINDOWS.match(path) else PurePosixPath(path)
