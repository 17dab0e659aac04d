"""What ``render``, ``submit`` and ``demo`` share: files and choices from the command line, checked."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ethereal_gui.domain.audio_file import AudioFile, place_id
from ethereal_gui.domain.formats import Quality, get_format
from ethereal_gui.domain.job import Caption, RenderOptions
from ethereal_gui.domain.locations import file_name, parse_url
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.domain.wire import checked
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
    template = TemplateLibrary(*settings.template_dirs).get(options.template or settings.template)
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
        "output_dir": whole_place(options.output or settings.output_dir),
        "name_pattern": settings.name_pattern,
        "fps": options.fps or settings.fps,
        "quality": Quality(options.quality) if options.quality else settings.quality,
        "max_bit_rate": options.max_bitrate or settings.max_bit_rate or None,
        "split_minutes": getattr(options, "split", None),
        "caption": _caption(options),
        "title": options.title,
        "artist": options.artist,
        "picture": whole_place(options.picture) if options.picture else None,
    }
    return checked(RenderOptions, values)


def _caption(options: argparse.Namespace) -> Caption | None:
    """The caption that was asked for; who names a picture wants to see it."""
    if options.caption:
        return Caption(options.caption)
    return Caption.PICTURE if options.picture else None


def whole_place(place: Path | str) -> str:
    """An absolute path, or a URL that a worker can use.

    Raises:
        LocationError: it cannot.
    """
    if isinstance(place, str):
        parse_url(place)
        return place
    return str(place.expanduser().absolute())


async def take_files(places: Sequence[Path | str], prober: Prober) -> tuple[tuple[AudioFile, ...], int]:
    """The readable songs among ``places``, and how many were refused; says on standard error which and why.

    Songs at URLs are taken as they are: the worker that fetches one looks into it.

    Raises:
        LocationError: a URL cannot be used.
    """
    urls = [AudioFile(id=place_id(url), path=url, original_name=file_name(url)) for url in _urls(places)]
    paths = [place for place in places if isinstance(place, Path)]
    if not paths:
        return tuple(urls), 0
    result = await inspect(prober, paths)
    for skipped in result.skipped:
        print(f"ethereal: {skipped.reason}", file=sys.stderr)
    return (*result.accepted, *urls), len(result.skipped)


def _urls(places: Sequence[Path | str]) -> list[str]:
    return list(dict.fromkeys(whole_place(place) for place in places if isinstance(place, str)))
