"""What ``render``, ``submit`` and ``demo`` share: files and choices from the command line, checked."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.formats import Quality, get_format
from ethereal_gui.domain.job import Caption, RenderOptions
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.domain.wire import checked
from ethereal_gui.service.configuration import template_dirs
from ethereal_gui.settings import Settings
from ethereal_gui.worker.probing import Prober, inspect


@dataclass(frozen=True, slots=True)
class Choices:
    """A batch as the command line asked for it; ``skipped`` counts files that were refused."""

    audio_files: tuple[AudioFile, ...]
    formats: tuple[str, ...]
    template: str
    options: RenderOptions
    skipped: int


async def read_choices(options: argparse.Namespace, settings: Settings, prober: Prober) -> Choices:
    """Files and choices of ``options``, defaults from the settings.

    Raises:
        InputError: unknown format or template.
    """
    formats = tuple(dict.fromkeys(get_format(name).id for name in options.formats or settings.formats))
    template = TemplateLibrary(*template_dirs(settings)).get(options.template or settings.template)
    audio_files, skipped = await take_files(options.files, prober)
    return Choices(
        audio_files=audio_files,
        formats=formats,
        template=template.id,
        options=_render_options(options, settings),
        skipped=skipped,
    )


def _render_options(options: argparse.Namespace, settings: Settings) -> RenderOptions:
    values = {
        "output_dir": str((options.output or settings.output_dir).expanduser().absolute()),
        "name_pattern": settings.name_pattern,
        "fps": options.fps or settings.fps,
        "quality": Quality(options.quality) if options.quality else settings.quality,
        "max_bit_rate": options.max_bitrate or settings.max_bit_rate or None,
        "caption": _caption(options),
        "title": options.title,
        "artist": options.artist,
        "picture": str(options.picture.expanduser().absolute()) if options.picture else None,
    }
    return checked(RenderOptions, values)


def _caption(options: argparse.Namespace) -> Caption | None:
    """The caption that was asked for; who names a picture wants to see it."""
    if options.caption:
        return Caption(options.caption)
    return Caption.PICTURE if options.picture else None


async def take_files(paths: Sequence[Path], prober: Prober) -> tuple[tuple[AudioFile, ...], int]:
    """The readable songs among ``paths``, and how many were refused; says on standard error which and why."""
    result = await inspect(prober, paths)
    for skipped in result.skipped:
        print(f"ethereal: {skipped.reason}", file=sys.stderr)
    return result.accepted, len(result.skipped)
