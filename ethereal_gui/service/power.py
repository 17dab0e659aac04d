"""What can be done with the computer when everything is rendered: sleep, shut down, or a command of the user's."""

import asyncio
import os
import shlex
import subprocess
import sys
from typing import Final

from ethereal_gui.domain.errors import PowerError
from ethereal_gui.settings import Settings, WhenDone

_FAILS_WITHIN: Final = 3.0
_WAYS: Final[dict[str, dict[WhenDone, list[str]]]] = {
    "linux": {
        WhenDone.SLEEP: ["systemctl", "suspend"],
        WhenDone.SHUT_DOWN: ["systemctl", "poweroff"],
    },
    "darwin": {
        WhenDone.SLEEP: ["pmset", "sleepnow"],
        WhenDone.SHUT_DOWN: ["osascript", "-e", 'tell application "System Events" to shut down'],
    },
    "win32": {
        WhenDone.SLEEP: ["rundll32.exe", "powrprof.dll,SetSuspendState", "0,1,0"],
        WhenDone.SHUT_DOWN: ["shutdown", "/s", "/t", "0"],
    },
}


def arguments(settings: Settings, system: str = sys.platform) -> list[str]:
    """The program and its arguments for what the settings want; empty when no program is needed.

    Raises:
        PowerError: this system knows no way, or there is no command in the settings.
    """
    wanted = settings.when_done
    if wanted in (WhenDone.NOTHING, WhenDone.QUIT):
        return []
    if wanted is WhenDone.COMMAND:
        try:
            found = shlex.split(settings.done_command, posix=os.name != "nt")
        except ValueError as error:
            raise PowerError(f"The command “{settings.done_command}” is not complete: {error}.") from error
        if not found:
            raise PowerError("There is no command to run when everything is done.", hint="Enter one in the settings.")
        return found
    way = _WAYS.get(system, {}).get(wanted)
    if way is None:
        raise PowerError("This system has no known way to do that.", hint="Enter a command in the settings.")
    return way


async def run(command: list[str]) -> None:
    """Start that program, apart from this one, without a shell; a failure within the first seconds is told.

    Raises:
        PowerError: it cannot be started, or ends at once with an error.
    """
    await asyncio.to_thread(_run, command)


def _run(command: list[str]) -> None:
    quiet = subprocess.DEVNULL
    try:
        # The owner's own command, from the settings alone; no shell reads it.
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603
        code = process.wait(_FAILS_WITHIN)
    except subprocess.TimeoutExpired:
        return  # it works on by itself
    except OSError as error:
        raise PowerError(f"“{command[0]}” cannot be started: {error.strerror}.") from error
    if code:
        raise PowerError(f"“{command[0]}” failed with the code {code}.")
