"""Single pictures of a finished video, small, for looking through it."""

from pathlib import Path

import av
import av.error
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from ethereal_gui.domain.errors import FileMissingError, FileUnreadableError

# Nothing but a file: a name may come from another computer's job.
_OPTIONS = {"protocol_whitelist": "file"}


def look_into(path: Path, seconds: float, width: int, height: int) -> tuple[NDArray[np.uint8], float]:
    """The key picture at or before ``seconds``, which at half a second's distance is near enough for a look.

    Args:
        width, height: pixels that the picture fits into, in its own proportions.

    Returns:
        RGB, uint8 (height, width, 3), and the seconds that the whole video lasts.

    Raises:
        FileMissingError, FileUnreadableError: the message names the file.
    """
    try:
        with av.open(str(path), options=_OPTIONS) as container:
            video = container.streams.video[0]
            base = float(video.time_base or 1)
            lasts = float((video.duration or 0) * base)
            video.codec_context.skip_frame = "NONKEY"
            container.seek(round(min(max(seconds, 0.0), lasts) / base), stream=video)
            frame = next(container.decode(video))
            scale = min(width / frame.width, height / frame.height)
            size = (max(2, round(frame.width * scale)), max(2, round(frame.height * scale)))
            small = frame.reformat(*size, format="rgb24", interpolation=Interpolation.AREA)
            return np.asarray(small.to_ndarray(), np.uint8), lasts
    except FileNotFoundError as error:
        raise FileMissingError(f"The video “{path.name}” is not there any more.") from error
    except (av.error.FFmpegError, OSError, ValueError, IndexError, StopIteration) as error:
        raise FileUnreadableError(f"The video “{path.name}” cannot be read: {error}.") from error
