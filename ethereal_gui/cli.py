"""The ``ethereal`` command: reads the command line and hands over to ``commands`` or to the window.

Exit codes: 0 done, 1 something failed, 2 wrong use.
"""

import argparse
import asyncio
import gc
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import ethereal_gui
from ethereal_gui.domain.errors import EtherealError, InputError, SettingsError
from ethereal_gui.domain.locations import is_url, local_path_of

if TYPE_CHECKING:
    from ethereal_gui.worker.probing import Prober

EXIT_FAILED = 1
EXIT_WRONG_USE = 2
_COMMANDS = ("render", "submit", "status", "worker", "demo", "doctor")

_EPILOG = """\
examples:
  ethereal                                  open the window
  ethereal ~/Music/album                    open the window with these songs in it
  ethereal render song.mp3 -f 1080p -o out  make one video now, without a queue
  ethereal submit *.flac -f 1080p -f 4k     queue a batch; a running window or worker renders it
  ethereal worker                           render jobs of the queue until stopped
  ethereal status --watch                   follow the queue

exit codes: 0 done, 1 something failed, 2 wrong use
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Logs go to standard error; what a command prints for people or programs is standard output.
    logging.basicConfig(
        level=os.environ.get("ETHEREAL_LOG", "ERROR").upper(), format="%(levelname)s %(name)s: %(message)s"
    )
    if not any(argument in _COMMANDS or argument in ("-h", "--help", "--version") for argument in arguments[:1]):
        return _window(arguments)
    try:
        options = _parser().parse_args(arguments)
        return asyncio.run(_dispatch(options))
    except (InputError, SettingsError) as error:
        print(f"ethereal: {error}", file=sys.stderr)
        return EXIT_WRONG_USE
    except EtherealError as error:
        print(f"ethereal: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away, as `ethereal status | head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


async def _dispatch(options: argparse.Namespace) -> int:
    # Imported per command: `ethereal --help` has to be quick.
    match options.command:
        case "render" | "submit" | "demo":
            from ethereal_gui.worker.probing import Prober

            with Prober() as prober:
                prober.warm_up()  # while the rest is being imported
                return await _dispatch_with_files(options, prober)
        case "status":
            from ethereal_gui.commands.status import status_command

            return await status_command(options)
        case "worker":
            from ethereal_gui.commands.worker import worker_command

            return await worker_command(options)
        case _:
            from ethereal_gui.commands.doctor import doctor_command

            return await doctor_command(options)


async def _dispatch_with_files(options: argparse.Namespace, prober: "Prober") -> int:
    match options.command:
        case "render":
            from ethereal_gui.commands.render import render_command

            return await render_command(options, prober)
        case "submit":
            from ethereal_gui.commands.submit import submit_command

            return await submit_command(options, prober)
        case _:
            from ethereal_gui.commands.demo import demo_command

            return await demo_command(options, prober)


def _window(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="ethereal",
        usage="ethereal [FILES...] | ethereal COMMAND ...",
        epilog="`ethereal --help` lists the commands.",
    )
    parser.add_argument("files", nargs="*", type=Path, help="songs or folders to open the window with")
    options = parser.parse_args(arguments)
    if not has_display():
        print(
            "ethereal: there is no display to open a window on.\n"
            "Without one there are `ethereal demo`, `ethereal render` and `ethereal submit`; see `ethereal --help`.",
            file=sys.stderr,
        )
        return EXIT_FAILED
    gc.disable()  # nothing that is loaded now is garbage, and the window collects by itself
    from ethereal_gui.app import run

    return run(options.files)


def has_display() -> bool:
    """A window can be opened here: always on macOS and Windows, elsewhere with X11, Wayland, or a Qt platform set."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ethereal",
        usage="ethereal [FILES...] | ethereal COMMAND [options]",
        description="Turns songs into audio-reactive videos. Without a command it opens the window.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ethereal {ethereal_gui.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, prog="ethereal")

    render = commands.add_parser("render", help="make videos now, without the queue")
    _add_batch_arguments(render)

    submit = commands.add_parser("submit", help="put a batch into the queue and print its id")
    _add_batch_arguments(submit)
    submit.add_argument(
        "--split",
        type=_minutes,
        nargs="?",
        const=0.0,
        metavar="MINUTES",
        help="have all workers together render each video that is longer (any, without a number), and 8K ones",
    )
    submit.add_argument("--batch-id", help="id of the batch; submitting the same id again adds nothing")
    submit.add_argument("--json", action="store_true", help="print {batchId, jobIds} as one JSON document")

    status = commands.add_parser("status", help="show the queue's batches and jobs")
    status.add_argument("batch", nargs="?", metavar="BATCH", help="id of one batch; all of them when left out")
    status.add_argument("--json", action="store_true", help="print one JSON document; progress is in percent")
    status.add_argument("--watch", action="store_true", help="keep showing until everything is done")

    worker = commands.add_parser("worker", help="render jobs of the queue on this computer")
    worker.add_argument("--drain", action="store_true", help="end when nothing is waiting any more")
    worker.add_argument("--concurrency", type=_positive, metavar="N", help="renders at a time")
    worker.add_argument("-o", "--output", type=Path, metavar="DIR", help="write every video below this folder")
    worker.add_argument(
        "--audio-root",
        type=_place,
        action="append",
        metavar="DIR",
        help="read only songs below this folder or URL (repeatable)",
    )
    worker.add_argument(
        "--path-map",
        action="append",
        metavar="THEIRS=OURS",
        help="a shared folder as jobs name it and as this computer sees it, "
        "such as /Volumes/music=/mnt/music or Z:\\music=/mnt/music (repeatable)",
    )

    demo = commands.add_parser("demo", help="the bundled song through the real queue to real videos")
    demo.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder for the videos (default: ./videos)")

    commands.add_parser("doctor", help="check this installation and say how to reach the queue's server")
    return parser


def _add_batch_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", type=_place, metavar="FILES", help="songs, folders of songs, or URLs (sftp, s3, smb)"
    )
    parser.add_argument(
        "-f",
        "--format",
        action="extend",
        nargs="+",
        metavar="FORMAT",
        dest="formats",
        help="output formats (repeatable)",
    )
    parser.add_argument("-t", "--template", metavar="TEMPLATE", help="visual template")
    parser.add_argument("-o", "--output", type=_place, metavar="DIR", help="output folder, or its URL")
    parser.add_argument("--fps", type=int, choices=(30, 60), help="frames per second")
    parser.add_argument("--quality", choices=("draft", "standard", "high"), help="draft is quick, high is best")
    parser.add_argument(
        "--max-bitrate",
        type=_megabits,
        metavar="MBPS",
        help="the most megabits per second, for platforms that refuse more (Reels: 25)",
    )
    parser.add_argument(
        "--caption",
        choices=("none", "text", "picture"),
        help="show title and artist near the beginning, alone or beside a picture (default: none)",
    )
    parser.add_argument("--title", metavar="TEXT", help="title for caption and file, instead of the song's tag")
    parser.add_argument("--artist", metavar="TEXT", help="artist for caption and file, instead of the song's tag")
    parser.add_argument(
        "--picture", type=_place, metavar="FILE", help="PNG or JPEG for the caption, instead of the song's cover"
    )


def _place(text: str) -> Path | str:
    """A path, or a URL as it was typed."""
    place = local_path_of(text)
    return place if is_url(place) else Path(place)


def _megabits(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of megabits between 1 and 1000")
    return value


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100_000:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of minutes")
    return value


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number between 1 and 64")
    return int(text)
