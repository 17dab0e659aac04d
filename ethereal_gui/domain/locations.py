"""Where a job's files are, and what the same place is called on another machine.

A job carries places as the submitting machine sees them: paths, or URLs that a worker fetches and sends for itself. A
worker that has the same drive under another name is told so by path maps: the longest prefix that fits is replaced.
Prefixes of Windows (``Z:\\music``, ``\\\\nas\\music``) are compared as Windows compares them, on whatever system the
worker runs.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Annotated, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pydantic import AfterValidator

from ethereal_gui.domain.errors import LocationError, SettingsError
from ethereal_gui.domain.wire import PathText

SCHEMES: Final = ("s3", "sftp", "smb")
"""Of the URLs that a worker can fetch from and send to."""

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://([^/]*)(.*)", re.DOTALL)
_OF_WINDOWS: Final = re.compile(r"[A-Za-z]:[\\/]|\\\\")


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL. Paths are taken as they stand: nothing in them is decoded, ``?`` and ``#`` are letters.

    Attributes:
        host: empty for ``s3``. path: begins with a slash; for ``s3`` with the bucket's name and without one.
    """

    scheme: str
    path: str
    host: str = ""
    port: int | None = None
    user: str | None = None


def is_url(place: str) -> bool:
    """Whether it is a URL and not a path."""
    return _URL.match(place) is not None


def parse_url(place: str) -> Url:
    """The parts of a URL that a worker can use.

    Raises:
        LocationError: another scheme, a password in it, or something is missing. The message never repeats a password.
    """
    found = _URL.fullmatch(place)
    scheme, authority, path = found.groups() if found else ("", "", "")
    scheme = scheme.lower()
    name = PurePosixPath(path).name or place.rpartition("@")[2]
    if ":" in authority.rpartition("@")[0]:
        raise LocationError(
            f"The address of “{name}” has a password in it, which everybody who sees the queue could read.",
            hint="Leave it out: workers take passwords and keys from their own configuration.",
        )
    if scheme not in SCHEMES:
        raise LocationError(
            f"“{name}” cannot be reached by {scheme or 'this'}.", hint=f"Use {', '.join(SCHEMES)} or a path."
        )
    if "\0" in place or ".." in PurePosixPath(path).parts:
        raise LocationError(f"The address of “{name}” is not valid.")
    if scheme == "s3":
        if not authority or "@" in authority:
            raise LocationError(f"The address of “{name}” has no bucket.", hint="Write it as s3://bucket/song.wav.")
        return Url(scheme, authority + path)
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not path.startswith("/"):
        raise LocationError(f"The address of “{name}” is not valid.", hint=f"Write it as {scheme}://host/folder/name.")
    return Url(scheme, path, host, port, parts.username)


def _without_password(place: str) -> str:
    found = _URL.match(place)
    if found and ":" in found[2].rpartition("@")[0]:
        raise ValueError("a URL must not have a password in it")
    return place


Place = Annotated[PathText, AfterValidator(_without_password)]
"""A path or URL in what travels through the queue: everybody there may see it."""


def local_path_of(place: str) -> str:
    """The path that a ``file://`` URL stands for; anything else as it is."""
    if place[:7].lower() != "file://":
        return place
    parts = urlsplit(place)
    return url2pathname(parts.path if parts.netloc in ("", "localhost") else f"//{parts.netloc}{parts.path}")


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


def parse_path_map(text: str) -> PathMap:
    """A path map from ``/as/jobs/name/it=/as/seen/here``; either side may be a URL.

    Raises:
        SettingsError: it is not two absolute paths. LocationError: it is a URL that cannot be used.
    """
    theirs, equals, ours = (part.strip() for part in text.partition("="))
    for place in (theirs, ours):
        if is_url(place):
            parse_url(place)
        elif not equals or not is_absolute(place):
            raise SettingsError(
                f"The path map “{text}” is not valid.",
                hint="Write it as /Volumes/music=/mnt/music: the folder as jobs name it, then as it is called here.",
            )
    return PathMap(theirs, ours)


def parse_path_maps(text: str) -> tuple[PathMap, ...]:
    """Path maps from one text, separated by semicolons.

    Raises:
        SettingsError, LocationError: one of them is not valid.
    """
    return tuple(parse_path_map(part) for part in text.split(";") if part.strip())


def path_here(place: str, maps: Iterable[PathMap]) -> str:
    """``place`` as this worker sees it; unchanged when no map fits."""
    fitting = [(one, steps) for one in maps if (steps := steps_below(one.theirs, place)) is not None]
    if not fitting:
        return place
    best, steps = min(fitting, key=lambda found: len(found[1]))
    return join(best.ours, *steps)


def steps_below(folder: str, place: str) -> tuple[str, ...] | None:
    """The names that lead from ``folder`` to ``place``; None when it lies elsewhere."""
    above, below = pure_path(folder), pure_path(place)
    same_kind = type(above) is type(below) and is_url(folder) == is_url(place)
    if not same_kind or ".." in below.parts or not below.is_relative_to(above):
        return None
    return below.relative_to(above).parts


def join(folder: str, *names: str) -> str:
    """A place below ``folder``, written as ``folder`` is."""
    if is_url(folder):
        return "/".join((folder.rstrip("/"), *names))
    return str(pure_path(folder).joinpath(*names))


def file_name(place: str) -> str:
    """The last name of a path or URL."""
    return pure_path(place).name


def folder_of(place: str) -> str:
    """The folder of a path or URL, written as it is."""
    return place.rpartition("/")[0] if is_url(place) else str(pure_path(place).parent)


def is_absolute(path: str) -> bool:
    """Whether it is an absolute path of any system."""
    return "\0" not in path and pure_path(path).is_absolute()


def pure_path(path: str) -> PurePath:
    """The path in the manner of its own system."""
    return PureWindowsPath(path) if _OF_WINDOWS.match(path) else PurePosixPath(path)
