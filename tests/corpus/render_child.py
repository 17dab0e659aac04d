"""Renders one song after the other, very small, confined as a rendering child is: ``OUT WORK CACHE``, paths as JSON
lines on standard input, an outcome as a JSON line for each."""

import json
import os
import sys
import time
from pathlib import Path

from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.job import Caption
from ethereal_gui.domain.naming import DEFAULT_PATTERN, candidate_names
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import load_template
from ethereal_gui.render.engine import render
from ethereal_gui.render.spec import RenderSpec
from ethereal_gui.worker.confine import confine
from tests.media import small_format

MEMORY = 3 << 30


def main() -> None:
    """Answer until standard input ends."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    out, work, cache = (Path(argument) for argument in sys.argv[1:4])
    confine([out, work, cache], memory=MEMORY)
    template = load_template(resource_path("templates", "flame.json"))
    for number, line in enumerate(sys.stdin):
        path, began = Path(json.loads(line)), time.monotonic()
        spec = RenderSpec(path, template, small_format(), 30, Quality.DRAFT, caption=Caption.PICTURE)
        names = candidate_names(DEFAULT_PATTERN, {"date": "2026-11-25", "song": path.stem, "format": "small"})
        answer: dict[str, object]
        try:
            video = render(spec, out, names, work_dir=work / str(number), cache_dir=cache, threads=1)
            answer = {"video": str(video.path), "frames": video.frames}
        except EtherealError as error:
            answer = {"error": str(error), "code": error.code}
        channel.write(json.dumps({**answer, "seconds": time.monotonic() - began}) + "\n")
        channel.flush()


if __name__ == "__main__":
    main()
