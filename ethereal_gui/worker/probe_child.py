"""The child's entry point that looks into strangers' files for the window and the commands.

It gives up what ``confine`` can take away, then answers one line of JSON after the other: ``{"look", "path"}`` with
``{"found"}`` or ``{"error"}``. It ends with its parent, after a minute without a request, and when a file needed more
memory than it may use.
"""

import base64
import contextlib
import io
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ethereal_gui.domain.errors import DamagedAudioError, EtherealError
from ethereal_gui.worker.confine import confine

NICENESS: Final = 3
IDLE_SECONDS: Final = 60.0
PARENT_GONE: Final = 3
COVER_SIDE: Final = 256


def main() -> int:
    """Answer requests; the argument is the number of bytes that may be allocated."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    confine([], memory=int(sys.argv[1]))
    import ethereal_gui.render.audio.probe  # noqa: F401 - while the parent still makes up its list

    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), name="requests", daemon=True).start()
    while True:
        try:
            request = json.loads(requests.get(timeout=IDLE_SECONDS))
        except queue.Empty:
            return 0
        answer, exhausted = _answer(request)
        channel.write(json.dumps(answer).encode() + b"\n")
        channel.flush()
        if exhausted:
            return 1


def _listen(requests: "queue.SimpleQueue[bytes]") -> None:
    for line in sys.stdin.buffer:
        requests.put(line)
    # Whatever a file has the other thread do: the parent is gone.
    os._exit(PARENT_GONE)


def _answer(request: dict[str, str]) -> tuple[dict[str, Any], bool]:
    """The answer, and whether it is better to end after it."""
    from ethereal_gui.render.audio.source import shown_name

    path = Path(request["path"])
    try:
        return {"found": _LOOKS[request["look"]](path)}, False
    except EtherealError as error:
        return {"error": error.to_wire()}, False
    except MemoryError:
        return {"error": DamagedAudioError(f"“{shown_name(path)}” needs more memory than a song may.").to_wire()}, True
    except Exception as error:
        words = f"“{shown_name(path)}” cannot be read ({type(error).__name__}: {error})."
        return {"error": DamagedAudioError(words).to_wire()}, False


def _song(path: Path) -> dict[str, Any]:
    from ethereal_gui.render.audio.probe import probe

    return asdict(probe(path))


def _cover(path: Path) -> dict[str, Any]:
    """The cover drawn anew and small, so that nobody else has to decode the song's own picture."""
    from ethereal_gui.render.video.tags import read_cover

    data = read_cover(path)
    if data is None:
        return {"picture": None}
    from ethereal_gui.render.caption.picture import decode_picture

    picture = decode_picture(data)
    if picture is None:
        return {"picture": None}
    picture.thumbnail((COVER_SIDE, COVER_SIDE))
    png = io.BytesIO()
    picture.save(png, "PNG", compress_level=1)
    return {"picture": base64.b64encode(png.getvalue()).decode()}


def _picture(path: Path) -> dict[str, Any]:
    from ethereal_gui.render.caption.picture import read_picture

    read_picture(path)
    return {}


_LOOKS: Final[Mapping[str, Callable[[Path], dict[str, Any]]]] = {"song": _song, "cover": _cover, "picture": _picture}


if __name__ == "__main__":
    raise SystemExit(main())
