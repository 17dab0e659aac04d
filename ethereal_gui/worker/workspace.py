"""Folders of a job: the one for its video, and the one for its unfinished work, which goes when the job is done."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from ethereal_gui.domain.errors import OutputFolderError
from ethereal_gui.domain.job import JobSnapshot, JobStatus
from ethereal_gui.domain.locations import is_url
from ethereal_gui.render.video.workspace import SHARED_PREFIX


def make_output_dir(place: Path | str) -> None:
    """Make the folder for videos when somebody has just chosen it; one at a URL is its worker's business.

    A render never does that itself: a folder that is gone by then may be a drive that is not plugged in.

    Raises:
        OutputFolderError: it cannot be made, or is not a folder.
    """
    if is_url(str(place)):
        return
    path = Path(place)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFolderError(f"The output folder “{path}” cannot be made: {error.strerror}.") from error


def remove_work_dir(path: Path) -> None:
    """Remove a job's own folder; what cannot be removed now is swept later."""
    shutil.rmtree(path, ignore_errors=True)


def job_digest(queue_name: str, job_id: str) -> str:
    """The name of a job's own folder: the same at every attempt, whatever the id holds."""
    return hashlib.sha256(f"{queue_name}\0{job_id}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def shared_dir_name(queue_name: str, job_id: str) -> str:
    """The name of the folder beside the video in which several workers share its segments."""
    return f"{SHARED_PREFIX}{job_digest(queue_name, job_id)}"


def remove_shared_dirs(queue_name: str, jobs: Iterable[JobSnapshot]) -> None:
    """Remove what workers have rendered together for jobs that nobody will finish, as far as it is seen from here."""
    for job in jobs:
        if job.data is None or job.data.split_minutes is None or job.status is JobStatus.COMPLETED:
            continue
        if folder := job.data.output_dir:
            shutil.rmtree(Path(folder) / shared_dir_name(queue_name, job.id), ignore_errors=True)
