"""The error tree.

Every error that a person may see says what happened (the message), what to do about it (the hint), and whether
trying again can help (``retryable``). Everything else is a bug and travels as an ordinary exception.
"""

from typing import Any, ClassVar


class EtherealError(Exception):
    """Something went wrong."""

    retryable: ClassVar[bool] = False
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.hint = self.default_hint if hint is None else hint
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    @property
    def code(self) -> str:
        """The class name: stable, for logs and for crossing a process boundary."""
        return type(self).__name__

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON for the line from a child process."""
        return {"code": self.code, "message": self.message, "hint": self.hint}

    @staticmethod
    def from_wire(data: dict[str, Any]) -> "EtherealError":
        """The error that ``to_wire`` described, as its own class where that is known."""
        known = {cls.__name__: cls for cls in _tree(EtherealError)}
        cls = known.get(str(data.get("code")), RenderError)
        return cls(str(data.get("message", "")), hint=str(data.get("hint", "")))


class InputError(EtherealError):
    """This file cannot be used."""


class FileMissingError(InputError):
    """The file is not there any more."""

    default_hint = "Put it back or add it again from where it is now."


class FileUnreadableError(InputError):
    """The file cannot be read."""

    default_hint = "Check its permissions."


class OutOfReachError(FileUnreadableError):
    """The file is where this worker cannot read it."""

    default_hint = "Start the worker with --path-map for a drive that has another name there."


class LocationError(InputError):
    """The address of a file or folder cannot be used."""


class EmptyFileError(InputError):
    """The file is empty."""

    default_hint = "Export it again from your audio program."


class NotAudioError(InputError):
    """The file is not audio."""

    default_hint = "Supported are mp3, wav, flac, ogg, opus, m4a and aiff."


class NoAudioStreamError(InputError):
    """The file has no sound in it."""

    default_hint = "Choose a file with an audio track."


class DamagedAudioError(InputError):
    """The audio in this file cannot be decoded."""

    default_hint = "Export it again from your audio program."


class UnknownFormatError(InputError):
    """There is no such output format."""


class UnknownTemplateError(InputError):
    """There is no such template."""


class TemplateError(InputError):
    """The template is not valid."""


class JobDataError(InputError):
    """The job's data is not valid."""


class StorageError(EtherealError):
    """Writing the video failed."""

    retryable = True


class DiskFullError(StorageError):
    """The disk is full."""

    default_hint = "Free some space, then retry."


class OutputFolderError(StorageError):
    """The output folder cannot be written."""

    default_hint = "Check that the folder exists and that you may write to it."


class TransferError(EtherealError):
    """A file could not be brought over the network."""

    retryable = True
    default_hint = "Check that the server runs and can be reached from the worker."


class RenderError(EtherealError):
    """Rendering failed."""

    retryable = True


class PartRefusedError(RenderError):
    """This worker cannot render a part of that video."""


class PartFailedError(RenderError):
    """A part of the video could not be rendered."""

    retryable = False


class RenderCrashedError(RenderError):
    """The render process ended unexpectedly."""

    default_hint = "It goes on from where it was when it is tried again."


class NotEnoughMemoryError(RenderError):
    """This render needs more memory than it may use."""

    retryable = False
    default_hint = "Choose a smaller format, fewer renders at a time, or a higher memory limit in the settings."


class VerificationError(RenderError):
    """The finished video did not pass its check."""


class CancelledByUserError(EtherealError):
    """Cancelled."""


class SettingsError(EtherealError):
    """A setting is not valid."""


class PowerError(EtherealError):
    """The computer did not do what was asked for the end of the queue."""


class QueueError(EtherealError):
    """The queue is not available."""

    retryable = True


class ServerUnavailableError(QueueError):
    """The Redis server does not answer."""

    default_hint = "Check that it runs and that the address is right."


class ServerRefusedError(QueueError):
    """The Redis server refused the connection."""

    retryable = False


class EvictionPolicyError(QueueError):
    """The Redis server may throw jobs away when its memory is full."""

    retryable = False
    default_hint = "Set maxmemory-policy to noeviction (see docker-compose.yml)."


class NoServerBinaryError(QueueError):
    """There is no Redis or Valkey server on this computer."""

    retryable = False
    default_hint = (
        "Install one (for example: apt install redis-server) or set REDIS_URL to a server, "
        "for example with: docker compose up -d"
    )


def _tree(root: type[EtherealError]) -> list[type[EtherealError]]:
    return [root, *(cls for child in root.__subclasses__() for cls in _tree(child))]
