"""One child process per render, and one per file that is brought from or to a server: start, watch, kill.

The child gets a limited environment, its own session (so that Ctrl-C in a terminal reaches only the worker), and a
pipe on its standard input whose end tells it that the worker is gone: no render ever outlives its worker.
"""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from ethereal_gui.domain.errors import CancelledByUserError, EtherealError, NotEnoughMemoryError, RenderCrashedError
from ethereal_gui.domain.job import Progress
from ethereal_gui.domain.private import private_folder
from ethereal_gui.domain.wire import WireModel
from ethereal_gui.render.spec import Part, Split, SplitUp
from ethereal_gui.render.video.storage import writing
from ethereal_gui.worker.messages import (
    ChildMessage,
    Done,
    Failed,
    LogLine,
    PartDone,
    ProgressLine,
    RenderRequest,
    SplitLine,
    Transferred,
    TransferRequest,
    parse_line,
    to_line,
)
from ethereal_gui.worker.patience import Patience

MAX_LINE = 1 << 20
KEPT_STDERR_LINES = 60
ENDING_SECONDS = 2.0
_NO_MEMORY = ("MemoryError", "bad_alloc", "out of memory", "Cannot allocate memory", "can't start new thread")
"""What Python, C++, LLVM and the system's loader say last when there is no memory for going on."""
_LAST_LINES = 5
_PASSED_ON = (
    "PATH", "HOME", "USERPROFILE", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBVA_DRIVER_NAME", "CUDA_VISIBLE_DEVICES", "PYTHONPATH", "VIRTUAL_ENV",
)  # fmt: skip
# `python -m` would import from the folder in which the command was started, which may be a stranger's.
_PYTHON = {"PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


class Interrupted(Exception):
    """The worker stopped this render to put its job back into the queue."""


class ChildProcess:
    """One piece of work in a child process.

    Args:
        request: what to do. work_dir: the job's own folder, made when it is missing.
        module: the child's entry point. env: its environment.
        on_progress: called with each progress; on the loop that runs ``run``.
        on_log: called with each line worth keeping.
        hang_seconds: without getting on for so long the child is taken for hung, whatever it says.
    """

    def __init__(
        self,
        request: WireModel,
        *,
        module: str,
        env: dict[str, str],
        work_dir: Path,
        on_progress: Callable[[Progress], None],
        on_log: Callable[[str], None],
        hang_seconds: float,
    ) -> None:
        self._request = request
        self._module = module
        self._env = env
        self._work_dir = work_dir
        self._on_progress = on_progress
        self._on_log = on_log
        self._hang_seconds = hang_seconds
        self._process: asyncio.subprocess.Process | None = None
        self._stopped_because: type[CancelledByUserError | Interrupted] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def stop(self, because: type[CancelledByUserError | Interrupted]) -> None:
        """Kill the child; ``run`` then raises ``because``."""
        self._stopped_because = self._stopped_because or because
        self._kill()

    async def finish(self) -> ChildMessage:
        """Wait for the end. Returns the last message.

        Raises:
            EtherealError: what the child reported, or ``RenderCrashedError``.
            CancelledByUserError, Interrupted: ``stop`` was called.
        """
        if self._stopped_because:
            raise self._stopped_because()
        with writing(self._work_dir.parent):
            private_folder(self._work_dir)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._env,
            limit=MAX_LINE,
            start_new_session=True,
        )
        stderr = asyncio.create_task(self._collect_stderr(self._process))
        try:
            result = await self._converse(self._process)
            if result is None:
                # It is ending by itself. Killing it meanwhile would collect its exit code before asyncio does, which
                # then knows none (it says 255).
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), ENDING_SECONDS)
        except ProcessLookupError:
            result = None
        finally:
            self._kill()
            await self._process.wait()
            tail = await stderr
            if self._process.stdin:
                self._process.stdin.close()
        if self._stopped_because:
            raise self._stopped_because()
        return self._judge(result, self._process.returncode, tail)

    async def _converse(self, process: asyncio.subprocess.Process) -> ChildMessage | None:
        assert process.stdin is not None  # noqa: S101 - both are pipes, see create_subprocess_exec above
        assert process.stdout is not None  # noqa: S101
        if self._stopped_because:
            return None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(to_line(self._request))
            await process.stdin.drain()
        patience = Patience(self._hang_seconds)
        while True:
            try:
                async with asyncio.timeout(patience.step):
                    line = await process.stdout.readline()
            except TimeoutError:
                patience.waited()
                continue
            if not line:
                return None
            try:
                message = parse_line(line)
            except ValidationError as error:
                raise RenderCrashedError("The render process said something that was not understood.") from error
            match message:
                case ProgressLine():
                    patience.heard(message.progress)
                    self._on_progress(message.progress)
                case LogLine():
                    self._on_log(message.text)
                case Done() | SplitLine() | PartDone() | Transferred() | Failed():
                    return message

    def _judge(self, result: ChildMessage | None, returncode: int | None, stderr: list[str]) -> ChildMessage:
        match result:
            case Failed():
                if result.trace:
                    self._on_log(result.trace)
                raise EtherealError.from_wire(result.model_dump())
            case None:
                for line in stderr:
                    self._on_log(line)
                if any(words in line for line in stderr[-_LAST_LINES:] for words in _NO_MEMORY):
                    raise NotEnoughMemoryError
                how = f"signal {-returncode}" if returncode and returncode < 0 else f"exit code {returncode}"
                raise RenderCrashedError(f"The render process ended unexpectedly ({how}).")
        return result

    async def _collect_stderr(self, process: asyncio.subprocess.Process) -> list[str]:
        kept: deque[str] = deque(maxlen=KEPT_STDERR_LINES)
        assert process.stderr is not None  # noqa: S101 - it is one as well
        rest = b""
        while chunk := await process.stderr.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-4096:]
            kept.extend(line.decode("utf-8", "replace")[:1000] for line in lines)
        return list(kept)

    def _kill(self) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()


class RenderProcess(ChildProcess):
    """One render in a child process; arguments as for ``ChildProcess``."""

    def __init__(
        self,
        request: RenderRequest,
        *,
        on_progress: Callable[[Progress], None],
        on_log: Callable[[str], None],
        hang_seconds: float,
    ) -> None:
        super().__init__(
            request,
            module="ethereal_gui.worker.child",
            env=child_environment(Path(request.cache_dir)),
            work_dir=Path(request.work_dir),
            on_progress=on_progress,
            on_log=on_log,
            hang_seconds=hang_seconds,
        )
        self._cache_dir = Path(request.cache_dir)

    async def finish(self) -> ChildMessage:
        """Wait for the end. A child is confined to folders that are there when it starts."""
        with writing(self._cache_dir):
            self._cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return await super().finish()

    async def run(self) -> Done:
        """Render and wait for the end; raises what ``finish`` does.

        Raises:
            SplitUp: others shall render the parts of the video first.
        """
        match await self.finish():
            case Done() as done:
                return done
            case SplitLine() as line:
                raise SplitUp(Split(line.mark, line.frames, tuple(Part(*part) for part in line.parts)))
        raise RenderCrashedError("The render process said something that was not understood.")

    async def run_part(self) -> PartDone:
        """Render the part of the request and wait for the end; raises what ``finish`` does."""
        done = await self.finish()
        if not isinstance(done, PartDone):
            raise RenderCrashedError("The render process said something that was not understood.")
        return done


class TransferProcess(ChildProcess):
    """One file on its way from or to a server, in a child process; arguments as for ``ChildProcess``."""

    def __init__(
        self,
        request: TransferRequest,
        *,
        work_dir: Path,
        on_progress: Callable[[Progress], None],
        on_log: Callable[[str], None],
        hang_seconds: float,
    ) -> None:
        super().__init__(
            request,
            module="ethereal_gui.worker.transfer_child",
            env=transfer_environment(),
            work_dir=work_dir,
            on_progress=on_progress,
            on_log=on_log,
            hang_seconds=hang_seconds,
        )

    async def run(self) -> Transferred:
        """Transfer and wait for the end; raises what ``finish`` does."""
        done = await self.finish()
        if not isinstance(done, Transferred):
            raise RenderCrashedError("The transfer process said something that was not understood.")
        return done


def transfer_environment() -> dict[str, str]:
    """This process's own environment, for it may have the keys to servers, without what leads to the queue."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REDIS_", "ETHEREAL_"))}
    return {**kept, **_PYTHON}


def child_environment(cache_dir: Path | None = None) -> dict[str, str]:
    """What a child needs and nothing that is secret: the server's address and password stay with the worker.

    Args:
        cache_dir: where compiled kernels are kept, for a child that draws.
    """
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    kernels = cache_dir / "kernels" if cache_dir else None
    if kernels:
        with contextlib.suppress(OSError):  # a render will say what is wrong with the disk
            private_folder(kernels)
    return {
        **passed,
        **({"NUMBA_CACHE_DIR": str(kernels)} if kernels else {}),
        "SVT_LOG": "1",  # errors only; what goes to standard error is kept for the job's log
        # The analysis multiplies small matrices: a second BLAS thread would only wait in a loop, at twice the CPU time.
        "OPENBLAS_NUM_THREADS": "1",
        **_PYTHON,
    }
