"""Prints the encoders that work on this machine, as JSON: ``python -m ... WANTED CACHE_DIR``."""

import json
import os
import sys
from pathlib import Path

from ethereal_gui.render.video.choice import working_encoders
from ethereal_gui.worker.child import NICENESS

if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    print(json.dumps(working_encoders(sys.argv[1], Path(sys.argv[2]))))
