"""A job's data -> the request to a child, with everything that the worker decides itself."""

import contextlib
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Final

from ethereal_gui.domain.errors import EtherealError, FileUnreadableError, JobDataError, OutOfReachError
from ethereal_gui.domain.formats import FRAME_RATES, get_format
from ethereal_gui.domain.job import Caption, PartJobData, RenderJobData
from ethereal_gui.domain.locations import (
    file_name,
    is_absolute,
    is_url,
    join,
    local_path_of,
    parse_url,
    path_here,
    steps_below,
)
from ethereal_gui.domain.naming import check_pattern, name_fields, safe_component
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.domain.wire import M, checked
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.delivery import Errands
from ethereal_gui.worker.messages import PartRequest, RenderRequest
from ethereal_gui.worker.workspace import job_digest, shared_dir_name

MAX_DATA: Final = 1 << 20
"""Bytes of a job's data as JSON; the window does not even read more."""


def read_job_data(raw: object) -> RenderJobData:
    """The job's data, checked.

    Raises:
        JobDataError: it is too large, or fields are missing or wrong; the message names them.
    """
    return _read(RenderJobData, raw)


def read_part_data(raw: object) -> PartJobData:
    """The data of a part of a video, checked.

    Raises:
        JobDataError: like ``read_job_data``.
    """
    return _read(PartJobData, raw)


def _read(model: type[M], raw: object) -> M:
    try:
        size = len(json.dumps(raw))
    except (TypeError, ValueError, RecursionError) as error:
        raise JobDataError("The job's data is not valid (it is nested too deeply, or no JSON).") from error
    if size > MAX_DATA:
        raise JobDataError(f"The job's data is too large: more than {MAX_DATA >> 20} MB.")
    return checked(model, raw, hint="Submit it again with this program's own command.")


def work_dir_of(config: WorkerConfig, job_id: str) -> Path:
    """The job's own folder: the same at every attempt, whatever the id holds."""
    return config.work_root / job_digest(config.queue_name, job_id)


def shared_dir_of(config: WorkerConfig, job_id: str, data: RenderJobData) -> Path | None:
    """The folder in which several workers share the segments of a video, beside the video, where all of them write;
    None for a video that is sent to a server, or whose song comes from one.

    Raises:
        EtherealError: like ``make_request``.
    """
    if errands_of(config, job_id, data) != Errands():
        return None
    return output_dir_of(config, data) / shared_dir_name(config.queue_name, job_id)


def make_request(config: WorkerConfig, job_id: str, data: RenderJobData) -> RenderRequest:
    """The request for one attempt.

    Raises:
        EtherealError: unknown format or template, bad values, or a path that this worker may not use.
    """
    output_format = get_format(data.output_format)
    template = TemplateLibrary(*config.template_dirs).get(data.template)
    if data.template_values:
        template = template.with_values(data.template_values)
    fps = data.fps or config.fps
    if fps not in FRAME_RATES:
        raise JobDataError(f"{fps} frames per second is not supported.", hint="Choose 30 or 60.")
    audio = data.audio_file
    return RenderRequest(
        audio_path=str(_file(config, job_id, audio.path, "The audio file")),
        template=template,
        output_format=output_format.id,
        fps=fps,
        quality=data.quality or config.quality,
        max_bit_rate=data.max_bit_rate,
        title=data.title if data.title is not None else audio.title,
        artist=data.artist if data.artist is not None else audio.artist,
        caption=data.caption or Caption.NONE,
        picture=_picture(config, job_id, data),
        output_dir=str(
            work_dir_of(config, job_id) / "video" if _send_to(config, data) else output_dir_of(config, data)
        ),
        name_pattern=_pattern(config, data),
        name_fields=name_fields(audio, output_format, template.id, date.today()),
        work_dir=str(work_dir_of(config, job_id)),
        cache_dir=str(config.cache_dir),
        threads=config.threads_per_render,
        memory=config.memory_per_render,
        encoder=config.encoder,
    )


def errands_of(config: WorkerConfig, job_id: str, data: RenderJobData) -> Errands:
    """What has to be brought for the request that ``make_request`` makes of the same job.

    Raises:
        EtherealError: an address cannot be used, or not by this worker.
    """
    wanted = [data.audio_file.path, data.picture if data.caption is Caption.PICTURE else None]
    here = [_here(config, place) for place in wanted if place]
    return Errands(
        fetch=tuple((place, _fetched(config, job_id, place)) for place in here if is_url(place)),
        send_to=_send_to(config, data),
    )


def make_part_request(config: WorkerConfig, part_id: str, part: PartJobData) -> RenderRequest:
    """The request for one attempt at a part of a video; the child may write into the shared folder only.

    Raises:
        EtherealError: like ``make_request``.
    """
    shared = shared_dir_of(config, part.job_id, part.job)
    if shared is None:
        raise JobDataError("The song or the output folder of a video that was split up is on a server for this worker.")
    update = {
        "output_dir": str(shared),
        "shared_dir": str(shared),
        "part": PartRequest(mark=part.mark, start=part.start, stop=part.stop),
    }
    return make_request(config, part_id, part.job).model_copy(update=update)


def _pattern(config: WorkerConfig, data: RenderJobData) -> str:
    if data.name_pattern is None:
        return config.name_pattern
    try:
        return check_pattern(data.name_pattern)
    except EtherealError as error:
        raise JobDataError(error.message, hint=error.hint) from error


def output_dir_of(config: WorkerConfig, data: RenderJobData) -> Path:
    """The folder for the video: the job's, or this worker's own when it follows nobody and the job's lies elsewhere.

    Where the video is sent to a server it is the data folder, in which it is made.

    Raises:
        JobDataError: it is not an absolute path. OutOfReachError: it is one of another system.
    """
    if not data.output_dir:
        return config.output_dir
    if _send_to(config, data):
        return config.data_dir
    text = _here(config, data.output_dir)
    if config.own_output_only:
        with contextlib.suppress(OSError, RuntimeError):  # a loop of links
            real = Path(text).resolve()
            if real.is_relative_to(config.output_dir.resolve()) and real.is_dir():
                return real
        return config.output_dir
    return _local_path(text, "The output folder")


def seen_by_submitter(config: WorkerConfig, data: RenderJobData, path: str) -> str:
    """The finished video's path as the machine that submitted the job has it, where a path map led to its folder."""
    folder = _here(config, data.output_dir) if data.output_dir else None
    if not data.output_dir or not folder or folder == data.output_dir:
        return path
    name = file_name(path)
    same = path == join(folder, name) or Path(path).parent.resolve() == Path(folder).resolve()
    return join(data.output_dir, name) if same else path


def _send_to(config: WorkerConfig, data: RenderJobData) -> str | None:
    """URL of the folder that the video is sent to; a worker with its own output folder sends nothing."""
    place = _here(config, data.output_dir) if data.output_dir and not config.own_output_only else ""
    if not is_url(place):
        return None
    parse_url(place)
    return place


def _here(config: WorkerConfig, place: str) -> str:
    return local_path_of(path_here(place, config.path_maps))


def _picture(config: WorkerConfig, job_id: str, data: RenderJobData) -> str | None:
    if data.picture is None or data.caption is not Caption.PICTURE:
        return None
    return str(_file(config, job_id, data.picture, "The picture"))


def _file(config: WorkerConfig, job_id: str, place: str, what: str) -> Path:
    """Where the render finds a file: its path, or the one to which it will be fetched."""
    here = _here(config, place)
    if not is_url(here):
        return _allowed_path(config, _local_path(here, what))
    parse_url(here)
    if config.audio_roots is not None and all(steps_below(root, here) is None for root in config.url_roots):
        raise _outside(here)
    return _fetched(config, job_id, here)


def _fetched(config: WorkerConfig, job_id: str, url: str) -> Path:
    """The local path for a file at a URL: of the same name, for that is what errors and captions go by."""
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
    name = file_name(url)
    stem, dot, ending = name.rpartition(".")
    safe = safe_component(stem) + dot + safe_component(ending, max_bytes=10) if dot and stem else safe_component(name)
    return work_dir_of(config, job_id) / "fetched" / digest[:12] / safe


def _allowed_path(config: WorkerConfig, path: Path) -> Path:
    if config.audio_roots is None:
        return path
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links
        raise FileUnreadableError(f"“{path.name}” cannot be read: its links lead nowhere.") from error
    if not any(real.is_relative_to(root.resolve()) for root in config.audio_roots):
        raise _outside(str(path))
    return real  # a link that is changed meanwhile leads nowhere else


def _outside(place: str) -> OutOfReachError:
    return OutOfReachError(
        f"“{file_name(place)}” is outside the folders that this worker may read.",
        hint="Start the worker with --audio-root for its folder.",
    )


def _local_path(text: str, what: str) -> Path:
    path = Path(text)
    if "\0" not in text and path.is_absolute():
        return path
    if is_absolute(text):
        raise OutOfReachError(f"{what} “{text}” is a path of another system.")
    raise JobDataError(f"{what} “{text}” is not an absolute path.")
