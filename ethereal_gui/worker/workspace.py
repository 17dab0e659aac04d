"""Folders of a job: the one for its video, and the one for its unfinished work, which goes when the job is done."""

import shutil
from pathlib import Path

from ethereal_gui.domain.errors import OutputFolderError
from ethereal_gui.domain.locations import is_url


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
