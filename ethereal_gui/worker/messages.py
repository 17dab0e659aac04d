"""The typed lines that pass between the worker and a render's child process: one JSON document per line.

The worker writes one ``RenderRequest`` to the child's standard input and then keeps it open: end of file there means
that the worker is gone, and the child ends at once. The child writes any number of messages to its standard output;
the last one is ``Done``, ``SplitLine``, ``PartDone`` or ``Failed``. A child that ends without one of them crashed.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.job import Caption, Progress
from ethereal_gui.domain.template import Template
from ethereal_gui.domain.wire import WireModel


class PartRequest(WireModel):
    """One part of a video that was split up, instead of the whole video; see ``render.spec.Split``."""

    mark: str
    start: int
    stop: int


class RenderRequest(WireModel):
    """Everything that a child needs; plain values only.

    Attributes:
        name_fields: values for the name pattern's fields.
        work_dir: this job's own folder for segments; the same at every attempt.
        cache_dir: shared cache of analyses and compiled kernels.
        threads: 0 for all processors. memory: bytes that the child may use, 0 for no limit.
        shared_dir: folder for the segments that other workers reach, too. split_over: a video of more seconds is
            split up. part: only this part of it is rendered.
    """

    audio_path: str
    template: Template
    output_format: str
    fps: int
    quality: Quality
    max_bit_rate: float | None = None
    title: str | None = None
    artist: str | None = None
    caption: Caption = Caption.NONE
    picture: str | None = None
    output_dir: str
    name_pattern: str
    name_fields: dict[str, str]
    work_dir: str
    cache_dir: str
    threads: int = 0
    memory: int = 0
    encoder: str = "auto"
    shared_dir: str | None = None
    split_over: float | None = None
    part: PartRequest | None = None


class FetchRequest(WireModel):
    """Bring the file at a URL to a local path, resuming what an earlier attempt has brought."""

    type: Literal["fetch"] = "fetch"
    url: str
    path: str


class FolderRequest(WireModel):
    """Make a folder at a URL when it is not there, and find out whether it can be reached."""

    type: Literal["folder"] = "folder"
    url: str


class SendRequest(WireModel):
    """Bring a file into a folder at a URL, under the first free name.

    Attributes:
        key: makes the hidden name that the file has on its way. record: file that notes what was sent.
    """

    type: Literal["send"] = "send"
    path: str
    folder: str
    name_pattern: str
    name_fields: dict[str, str]
    key: str
    record: str


TransferRequest = Annotated[FetchRequest | FolderRequest | SendRequest, Field(discriminator="type")]
TRANSFER_REQUEST: TypeAdapter[TransferRequest] = TypeAdapter(TransferRequest)


class ProgressLine(WireModel):
    """The render got on."""

    type: Literal["progress"] = "progress"
    progress: Progress


class LogLine(WireModel):
    """Something worth a line in the job's log."""

    type: Literal["log"] = "log"
    text: str


class Done(WireModel):
    """The video is there under its final name."""

    type: Literal["done"] = "done"
    output_path: str
    duration: float
    frames: int
    size: int
    resumed_frames: int = 0


class Transferred(WireModel):
    """The file is where it should be; ``place`` is its path or URL, ``size`` its bytes."""

    type: Literal["transferred"] = "transferred"
    place: str
    size: int


class SplitLine(WireModel):
    """The video was split up: ``parts`` are (first frame, frame after the last one)."""

    type: Literal["split"] = "split"
    mark: str
    frames: int
    parts: tuple[tuple[int, int], ...]


class PartDone(WireModel):
    """The part of the request is there."""

    type: Literal["part"] = "part"
    resumed_frames: int = 0


class Failed(WireModel):
    """The render failed; ``code`` is the error's class name, see ``EtherealError.from_wire``."""

    type: Literal["failed"] = "failed"
    code: str
    message: str
    hint: str = ""
    trace: str = ""


ChildMessage = Annotated[
    ProgressLine | LogLine | Done | SplitLine | PartDone | Transferred | Failed, Field(discriminator="type")
]
_ADAPTER: TypeAdapter[ChildMessage] = TypeAdapter(ChildMessage)


def parse_line(line: bytes) -> ChildMessage:
    """One line from a child.

    Raises:
        pydantic.ValidationError: it is not one of the messages.
    """
    return _ADAPTER.validate_json(line)


def to_line(message: WireModel) -> bytes:
    """One message as a line of JSON."""
    return message.model_dump_json(by_alias=True, exclude_none=True).encode() + b"\n"
