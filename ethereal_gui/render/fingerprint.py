"""Everything that determines a video's packets, as one name."""

import hashlib
import json
import platform
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ethereal_gui import __version__
from ethereal_gui.render.caption.card import Card
from ethereal_gui.render.spec import RenderSpec
from ethereal_gui.render.video.encoders import EncoderSetup
from ethereal_gui.render.video.tags import Tags


def fingerprint(spec: RenderSpec, audio_digest: str, tags: Tags, caption: Card | None, setup: EncoderSetup) -> str:
    """32 hex digits; equal for two renders exactly when one may go on with the other's segments."""
    parts = {
        "audio": audio_digest,
        "template": spec.template.model_dump(mode="json"),
        "format": asdict(spec.output_format),
        "fps": spec.fps,
        "quality": spec.quality,
        "title": tags.title,
        "artist": tags.artist,
        "cover": hashlib.sha256(tags.cover or b"").hexdigest(),
        "caption": _caption(caption),
        "encoder": setup.identity(),
        "engine": engine_version(),
    }
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _caption(card: Card | None) -> list[str | None] | None:
    if card is None:
        return None
    from ethereal_gui.render.caption.letters import typesetter  # not loaded for videos without a caption

    return [card.title, card.artist, hashlib.sha256(card.picture or b"").hexdigest(), typesetter()]


@cache
def engine_version() -> str:
    """The program's version, its code and what it computes with: a new kernel must not go on with an old one's
    segments."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    machine = f"{platform.machine()} numpy {np.__version__} numba {version('numba')}"
    return f"{__version__} {digest.hexdigest()[:16]} {machine}"
