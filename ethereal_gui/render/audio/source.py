"""Opening a song: every way in which it can be no use becomes the right error, with the file's name in it."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av
import av.error
from av.container import InputContainer

from ethereal_gui.domain.errors import (
    DamagedAudioError,
    EmptyFileError,
    FileMissingError,
    FileUnreadableError,
    InputError,
    NoAudioStreamError,
    NotAudioError,
)

# Playlists and other demuxers that open further files or addresses are left out on purpose: a "song" must not be able
# to make the program read anything but itself.
_CONTAINERS = (
    "mp3,wav,w64,flac,ogg,mov,aiff,aac,matroska,avi,mpegts,mpeg,caf,asf,ape,wv,tta,amr,ac3,eac3,dts,mp2,flv,rm,dsf,au"
)
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}

# One sample a second would make some kilobytes a song of hours; the filter for a gigahertz takes minutes to make.
_RATES = range(1_000, 6_000_001)
_WAV = (b"RIFF", b"RF64")
_GLANCE = {"probesize": "16384"}

# How files of the supported types begin; a file that begins like this and does not open is damaged, not something else.
_SIGNATURES = (b"RIFF", b"RF64", b"ID3", b"fLaC", b"OggS", b"FORM", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa")


def shown_name(path: Path) -> str:
    """The file's name with what cannot be shown replaced."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def content_hash(path: Path) -> str:
    """Hex digits that stand for the file's bytes (BLAKE2b, 128 bits).

    Raises:
        InputError: the file is missing, empty or unreadable.
    """
    digest = hashlib.blake2b(digest_size=16)
    size = 0
    try:
        with _open_file(path) as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise read_error(path, error) from error
    if size == 0:
        raise EmptyFileError(f"“{shown_name(path)}” is empty.")
    return digest.hexdigest()


@contextmanager
def open_audio(path: Path, *, glance: bool = False) -> Iterator[InputContainer]:
    """The opened file; it has at least one audio stream.

    Args:
        glance: do not look through megabytes of a wav for DTS, which takes 40 ms.

    Raises:
        InputError: the file cannot be used, also when that shows only inside the ``with`` block.
    """
    try:
        with _open_file(path) as file:
            beginning = file.read(12)
            if not beginning:
                raise EmptyFileError(f"“{shown_name(path)}” is empty.")
            file.seek(0)
            # A name that is not valid UTF-8 cannot be handed to FFmpeg; the open file can.
            container = av.open(
                file if _needs_file_object(path) else str(path.absolute()),
                "r",
                options={**_OPTIONS, **_GLANCE} if glance and beginning.startswith(_WAV) else _OPTIONS,
                metadata_errors="replace",
            )
            with container:
                if not container.streams.audio:
                    raise _without_sound(path, container)
                _check_stream(path, container)
                yield container
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _open_error(path, error, beginning=_beginning(path)) from error


def read_error(path: Path, error: OSError) -> InputError:
    """The error of the tree for an error of the system while reading ``path``."""
    name = shown_name(path)
    if isinstance(error, FileNotFoundError):
        return FileMissingError(f"“{name}” is not there any more.")
    if isinstance(error, PermissionError):
        return FileUnreadableError(f"“{name}” cannot be read: no permission.")
    if isinstance(error, IsADirectoryError):
        return NotAudioError(f"“{name}” is a folder, not an audio file.")
    return FileUnreadableError(
        f"“{name}” cannot be read: {error.strerror or error}.", hint="Check the disk or network drive that it is on."
    )


def undecodable(path: Path) -> InputError:
    """The error for a file of which nothing decodes: damaged when it begins like audio, else not audio at all.

    FFmpeg takes almost any bytes for an mp3 when they are many enough.
    """
    return _undecodable(path, _beginning(path))


def _undecodable(path: Path, beginning: bytes) -> InputError:
    if beginning.startswith(_SIGNATURES) or beginning[4:8] == b"ftyp":
        return DamagedAudioError(f"“{shown_name(path)}” is damaged: its audio cannot be decoded.")
    return NotAudioError(f"“{shown_name(path)}” is not audio.")


def _without_sound(path: Path, container: InputContainer) -> InputError:
    pictures_only = all(stream.disposition & av.stream.Disposition.attached_pic for stream in container.streams.video)
    if container.streams.video and not pictures_only:
        return NoAudioStreamError(f"“{shown_name(path)}” is a video without sound.")
    return NotAudioError(f"“{shown_name(path)}” is not audio.")


def _check_stream(path: Path, container: InputContainer) -> None:
    codec = container.streams.audio[0].codec_context
    if codec is None:  # FFmpeg has no decoder for it
        raise undecodable(path)
    rate = codec.sample_rate
    if rate and rate not in _RATES:
        raise DamagedAudioError(f"“{shown_name(path)}” is damaged: it says that it has {rate} samples a second.")


def _open_error(path: Path, error: Exception, *, beginning: bytes) -> InputError:
    code = getattr(error, "errno", None)
    if isinstance(error, OSError) and (
        not isinstance(error, av.error.FFmpegError) or code in (errno.ENOENT, errno.EACCES, errno.EIO, errno.ESTALE)
    ):
        return read_error(path, error)
    return _undecodable(path, beginning)


def _open_file(path: Path) -> BinaryIO:
    """Open a regular file. A pipe or a device is refused instead of being waited for or read without end."""
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    file = open(path, "rb", opener=lambda name, mode: os.open(name, mode | flags))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotAudioError(f"“{shown_name(path)}” is not a file with sound in it, but a pipe or a device.")
    return file


def _beginning(path: Path) -> bytes:
    try:
        with _open_file(path) as file:
            return file.read(12)
    except (OSError, NotAudioError):
        return b""


def _needs_file_object(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return True
    return False
