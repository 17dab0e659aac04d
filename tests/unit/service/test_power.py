"""What is done with the computer at the end of the queue."""

import sys
from pathlib import Path

import pytest

from ethereal_gui.domain.errors import PowerError
from ethereal_gui.service import power
from ethereal_gui.settings import Settings, WhenDone


def wanting(when_done: WhenDone, command: str = "") -> Settings:
    return Settings(when_done=when_done, done_command=command)


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("wanted", [WhenDone.SLEEP, WhenDone.SHUT_DOWN])
def test_every_system_has_a_way(system: str, wanted: WhenDone) -> None:
    assert power.arguments(wanting(wanted), system)


def test_nothing_and_quitting_need_no_program() -> None:
    assert power.arguments(wanting(WhenDone.NOTHING)) == power.arguments(wanting(WhenDone.QUIT)) == []


def test_a_command_keeps_its_quoted_arguments() -> None:
    assert power.arguments(wanting(WhenDone.COMMAND, 'say "good morning"')) == ["say", "good morning"]


@pytest.mark.parametrize(("command", "words"), [("", "no command"), ('say "good', "not complete")])
def test_a_command_that_cannot_be_run_is_told_before_the_countdown(command: str, words: str) -> None:
    with pytest.raises(PowerError, match=words):
        power.arguments(wanting(WhenDone.COMMAND, command))


async def test_a_program_runs_without_a_shell(tmp_path: Path) -> None:
    mark = tmp_path / "a b; c"
    await power.run([sys.executable, "-c", "import pathlib, sys; pathlib.Path(sys.argv[1]).touch()", str(mark)])
    assert mark.exists()


async def test_a_program_that_fails_or_is_not_there_is_told() -> None:
    with pytest.raises(PowerError, match="code 3"):
        await power.run([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(PowerError, match="cannot be started"):
        await power.run(["/no/such/program"])
