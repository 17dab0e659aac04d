"""Names that mean something to a shell, FFmpeg or a file system, and things that are no plain files."""

import os
import socket
from pathlib import Path

from tests.corpus.sounds import song
from tests.corpus.specimen import Family, Outcome, Specimen

VIDEO, ERROR, EITHER = Outcome.VIDEO, Outcome.ERROR, Outcome.EITHER

NAMES = (
    "x" * 251 + ".wav",
    "ä" * 125 + ".wav",
    "🎵" * 60 + ".wav",
    "☠️ “song” 🎶.wav",
    "two\nlines.wav",
    "tab\tbell\a\x1b[31m.wav",
    "-rf.wav",
    "--help.wav",
    "-.wav",
    "..wav",
    "....wav",
    ".hidden.wav",
    " spaces . .wav",
    "trailing.wav ",
    "trailing.wav.",
    "no suffix",
    "a\\..\\..\\b.wav",
    "CON.wav",
    "lpt1.mp4.wav",
    "‮gnos.wav",
    "e\u0301.wav",
    "\u00e9.wav",
    "%d.wav",
    "%03d%s%n.wav",
    "{n}.wav",
    "{song.__class__}{0}.wav",
    "$HOME `id` ;touch owned.wav",
    "*?[a-z].wav",
    "~root.wav",
    "file:song.wav",
    "concat:a.wav|b.wav",
    "pipe:0.wav",
    "http:example.wav",
    "subfile,,start,0,end,9,,:a.wav",
    "data:audio.wav",
    "#fragment?query=1&.wav",
    "song.wav.mp4",
    "\u200b\u2028\ufeff.wav",
    "\U0010fffd.wav",
)
CLASHES = ("Song.wav", "song.wav", "SONG.wav", "song.WAV", "sonG.flac")


def make(root: Path) -> list[Specimen]:
    """All of them below ``root``."""
    return [specimen for family in (_named(root), _clashing(root), _odd(root)) for specimen in family.specimens]


def _named(root: Path) -> Family:
    family = Family(root, "named")
    data = song(root / "plain.wav").read_bytes()
    for name in NAMES:
        family.put(name, data, VIDEO)
    family.put(os.fsdecode(b"latin-\xe4\xff.wav"), data, ERROR)
    deep = Path(family.folder, *["deep" * 50] * 15)
    if os.name == "posix":
        deep.mkdir(parents=True)
        (deep / "song.wav").write_bytes(data)
        family.specimens.append(Specimen(deep / "song.wav", VIDEO))
        family.specimens.append(Specimen(family.folder / ".." / "named" / ".." / "plain.wav", VIDEO))
    return family


def _clashing(root: Path) -> Family:
    family = Family(root, "clashing")
    for name in CLASHES:
        song(family.at(name, VIDEO))
    return family


def _odd(root: Path) -> Family:
    family = Family(root, "odd")
    plain = root / "plain.wav"
    for name, target in {
        "link.wav": plain,
        "link-to-link.wav": family.folder / "link.wav",
        "link-relative.wav": Path("../odd/../plain.wav"),
    }.items():
        family.at(name, VIDEO).symlink_to(target)
    for name, target in {
        "broken.wav": root / "nowhere",
        "loop-a.wav": Path("loop-b.wav"),
        "loop-b.wav": Path("loop-a.wav"),
        "itself.wav": Path("itself.wav"),
        "null.wav": Path("/dev/null"),
        "zero.wav": Path("/dev/zero"),
        "random.wav": Path("/dev/urandom"),
        "terminal.wav": Path("/dev/tty"),
        "standard-input.wav": Path("/dev/stdin"),
        "memory.wav": Path("/proc/self/mem"),
        "kernel-messages.wav": Path("/dev/kmsg"),
        "folder-link.wav": root,
    }.items():
        family.at(name, ERROR).symlink_to(target)
    family.at("folder.wav", ERROR).mkdir()
    os.mkfifo(family.at("pipe.wav", ERROR))
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(family.folder)  # the whole path may be too long for a socket's name
        listening.bind("socket.wav")
        os.chdir(here)
    family.specimens.append(Specimen(family.folder / "socket.wav", ERROR))
    with family.at("five-gigabytes-of-nothing.wav", ERROR).open("wb") as file:
        file.truncate(5 << 30)
    family.at("gone.wav", ERROR)
    family.at("below-a-file.wav/x.wav", ERROR)
    return family
