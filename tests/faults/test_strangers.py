"""Strangers: other users, other hosts, whoever may write to the queue, and servers that are not what they claim."""

import asyncio
import os
import shlex
import shutil
import ssl
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pytest
import trustme
from bullmq import Queue
from PySide6.QtWidgets import QApplication

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import ServerRefusedError
from ethereal_gui.domain.job import JobSnapshot, JobStatus, Stage
from ethereal_gui.domain.naming import candidate_names
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.queue.connection import address_from_url, check_server, connection_options
from ethereal_gui.queue.render_queue import RenderQueue
from ethereal_gui.service.watched_folder import WatchedFolder
from ethereal_gui.settings import save_settings
from ethereal_gui.store.renders import RenderStore
from ethereal_gui.ui.queue_actions import report
from ethereal_gui.ui.queue_nodes import BatchNode, JobNode
from ethereal_gui.ui.window_state import WindowState
from ethereal_gui.worker.sandbox import child_environment
from tests.faults.outages import Line, PlainServer
from tests.faults.test_outages import watching
from tests.integration.rendering import (
    environment,
    finished,
    job_until,
    make_song,
    render_children,
    run,
    running,
    start,
    videos,
    worker_config,
)
from tests.integration.workers import until

ADMIN = "administrator"
SECRET = "s3cret-of-the-farm"
NOBODY = 65534
RIGHTS = ("~bull:*", "+@all", "-@dangerous", "+info")

# Prints what it could open, write into or connect to.
_TRY = """
import os, socket, stat, sys
for parent, _, names in os.walk(sys.argv[1]):
    try:
        open(os.path.join(parent, "left here"), "w").close()
        print("wrote into", parent)
    except OSError:
        pass
    for name in names:
        path = os.path.join(parent, name)
        try:
            if stat.S_ISSOCK(os.stat(path).st_mode):
                socket.socket(socket.AF_UNIX).connect(path)
            else:
                open(path, "rb").close()
            print("opened", path)
        except OSError:
            pass
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name that everybody may enter."""
    path = Path(tempfile.mkdtemp(prefix="eth-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def others_can(folder: Path) -> list[str]:
    """What another user can do below a folder: found out by trying where root can become one, else by the modes."""
    # The system's own Python: the test's may lie in a folder that the other user cannot enter.
    python = shutil.which("python3", path="/usr/bin:/bin")
    if os.getuid() != 0 or python is None:
        return by_modes(folder)
    command = [python, "-c", _TRY, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, user=NOBODY, group=NOBODY)
    return done.stdout.splitlines()


def by_modes(folder: Path) -> list[str]:
    """What the modes of files and folders let others do."""
    found: list[str] = []
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH:
        found.append(f"wrote into {folder}")
    for path in sorted(folder.iterdir()) if mode & stat.S_IXOTH else []:
        if path.is_dir() and not path.is_symlink():
            found += by_modes(path)
        elif path.lstat().st_mode & stat.S_IROTH and not path.is_symlink():
            found.append(f"opened {path}")
    return found


def listening(process: psutil.Process) -> list[Any]:
    """Ports that a process or one below it offers to other hosts."""
    family = [process, *process.children(recursive=True)]
    return [one for member in family for one in member.net_connections("inet") if one.status == psutil.CONN_LISTEN]


def command_lines() -> str:
    """Those of all processes."""
    return "\n".join(" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))


def files_with(secret: str, folder: Path) -> list[str]:
    """Files below a folder that have it in them."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path.relative_to(folder)) for path in paths if secret.encode() in path.read_bytes()]


@asynccontextmanager
async def tls_farm(folder: Path) -> AsyncIterator[tuple[PlainServer, Line]]:
    """A server with the user ``farm``, reached through TLS with a certificate of an authority of its own."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    home = folder / "server"
    home.mkdir()
    server = PlainServer(home)
    server.start("--requirepass", ADMIN)
    try:
        await server.ready(ADMIN)
        await allow(server, "farm", *RIGHTS)
        line = Line(server.socket, certificate(authority, "127.0.0.1"), folder / "authority.pem")
        async with line.open():
            yield server, line
    finally:
        server.kill()


async def allow(server: PlainServer, user: str, *rights: str) -> None:
    await server.ask("ACL", "SETUSER", user, "on", f">{SECRET}", *rights, password=ADMIN)


def certificate(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """What a server of that name shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


# -- Whoever may write to the queue ---------------------------------------------------------------------------------


async def test_whatever_jobs_say_a_workers_owner_says_what_it_reads_and_writes(
    folder: Path, qapp: QApplication
) -> None:
    """A worker as one would run it for others, over TLS, with a user of its own, and everything checked on the way."""
    music, private, data, out, here = (folder / name for name in ("music", "private", "data", "out", "here"))
    for path in (music, private, out, here):
        path.mkdir()
    good = make_song(music / "good.wav", 3.0)
    secret_song = make_song(private / "song.wav", 0.5)
    (music / "link.wav").symlink_to(secret_song)
    (private / "cover.png").write_bytes(b"\x89PNG")
    # Modules that wait in the folder from which the worker is started.
    for name in ("av", "numpy", "numba", "pydantic"):
        (here / f"{name}.py").write_text(f"open({str(folder / 'sprung')!r}, 'w')")
    # A link that waits under the name that the video would get.
    (out / "way out").symlink_to(private)
    wish = {"namePattern": "{artist}_{song}_{n}", "outputDir": f"{out}/way out", "artist": "../../up"}
    fields = {"artist": "../../up", "song": "evil", "date": date.today().isoformat()}
    (out / next(candidate_names("{artist}_{song}_{n}", fields))).symlink_to(private / "through")

    def data_of(path: Path | str, **more: Any) -> dict[str, Any]:
        audio = {"id": "a1", "path": str(path), "originalName": "../../../evil.wav", "artist": "../../up"}
        asked = {"template": "flame", "outputFormat": "1080p", "quality": "draft", "renderDbId": None}
        return {"batchId": "theirs", "audioFile": audio, **asked, **more}

    refused = {
        "link": (data_of(music / "link.wav"), "outside the folders"),
        "dots": (data_of(f"{music}/../private/song.wav"), "outside the folders"),
        "proc": (data_of("/proc/self/environ"), "outside the folders"),
        "picture": (data_of(good, caption="picture", picture=str(private / "cover.png")), "outside the folders"),
        "pattern": (data_of(good, namePattern="../../{song}_{n}"), "must not contain a folder"),
        "template": (data_of(good, template="../../etc/passwd"), "There is no template"),
    }
    before = sorted(private.rglob("*"))
    async with tls_farm(folder) as (server, line):
        address = address_from_url(f"unix://:{ADMIN}@{server.socket}")
        queue, theirs = RenderQueue(address), Queue("render-queue", {"connection": connection_options(address)})
        for name, (job_data, _) in refused.items():
            await theirs.add("render", job_data, {"jobId": name})
        await theirs.add("render", data_of(good, **wish), {"jobId": "good"})
        env = environment(
            data,
            REDIS_URL=f"rediss://127.0.0.1:{line.port}?ssl_ca_certs={line.authorities}",
            REDIS_USERNAME="farm",
            REDIS_PASSWORD=SECRET,
            ETHEREAL_LOG="DEBUG",
            PYTHONSAFEPATH="1",  # as the installed command has it
        )
        worker = start(["worker", "-o", str(out), "--audio-root", str(music)], env, here, umask=0)
        try:
            await job_until(queue, "good", lambda job: bool(job.progress and job.progress.stage is Stage.RENDERING))
            (child,) = render_children(worker.pid)
            child.suspend()
            check_child(child)
            assert listening(psutil.Process(worker.pid)) == []
            assert SECRET not in command_lines()
            child.resume()
            done = await finished(queue, "good")
            ends = {name: await finished(queue, name) for name in refused}
        finally:
            worker.terminate()
            said = "".join(await asyncio.to_thread(worker.communicate, timeout=60))
        for name, (_, reason) in refused.items():
            assert (ends[name].status, ends[name].attempts_made) == (JobStatus.FAILED, 1), name
            assert reason in (ends[name].failed_reason or ""), name
        assert done.outcome is not None, done.failed_reason
        video = Path(done.outcome.output_path)
        assert video.parent == out
        assert stat.S_ISREG(video.lstat().st_mode)
        assert len(videos(out)) == 3
        assert sorted(private.rglob("*")) == before
        assert not (folder / "sprung").exists()

        doctor = await asyncio.to_thread(run, ["doctor"], env, here)
        assert f"redis-cli -h 127.0.0.1 -p {line.port} --tls --cacert {line.authorities} --user farm" in doctor.stdout
        reports = "".join([await whole_report(queue, job) for job in (done, *ends.values())])
        for text in (said, doctor.stdout, doctor.stderr, reports):
            assert SECRET not in text
        await theirs.close()
        await queue.close_queue()
    # The server's append-only file has every command that ever changed a job; the history is here too.
    assert files_with(SECRET, folder) == []
    (data / "bait").write_text("for everybody")
    assert others_can(data) == [f"opened {data / 'bait'}"]


def check_child(child: psutil.Process) -> None:
    """A child at work has no address and no password, no way to more rights, and an end to its memory."""
    variables = child.environ()
    assert not [name for name in variables if name.startswith(("REDIS", "ETHEREAL"))]
    assert SECRET not in str(variables)
    if sys.platform == "linux":
        of_child = Path(f"/proc/{child.pid}")
        assert "NoNewPrivs:\t1" in (of_child / "status").read_text()
        limits = {line[:25].strip(): line[25:].split() for line in (of_child / "limits").read_text().splitlines()}
        assert limits["Max core file size"][:2] == ["0", "0"]
        assert "unlimited" not in limits["Max data size"][:2]
        assert (of_child / "oom_score_adj").read_text().strip() == "500"


async def whole_report(queue: RenderQueue, job: JobSnapshot) -> str:
    """All that “Copy report” and the details show of a job."""
    node = JobNode(job, BatchNode("theirs", 0), 0)
    return "\n".join([report(node), *await queue.job_log(job.id), *await queue.stacktraces(job.id)])


# -- Other users and hosts -----------------------------------------------------------------------------------------


async def test_the_built_in_server_is_for_its_owner_alone(folder: Path) -> None:
    data = folder / "data"
    env = environment(data, ETHEREAL_LOG="DEBUG", ETHEREAL_SHUTDOWN_TIMEOUT="0")
    make_song(folder / "a.wav", 0.5)
    worker = start(["worker"], env, folder, umask=0)

    async def has_server() -> bool:
        return any((data / "server" / "users").glob(f"{worker.pid}-*"))

    try:
        # Otherwise `submit` may be the one that starts the server, and take it along when it ends.
        await until(has_server)
        submitted = run(["submit", "a.wav", "-f", "1080p", "-o", "out"], env, folder)
        assert submitted.returncode == 0, submitted.stderr
        password = (data / "server" / "password").read_text()
        family = psutil.Process(worker.pid)
        servers = [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(data / "server")]
        assert len(servers) == 1
        assert [listening(one) for one in (family, *servers)] == [[], []]
        assert password not in command_lines()
        environments = [one.environ() for one in (family, *family.children(recursive=True), *servers)]
        assert password not in str(environments)
        assert others_can(data / "server") == []
        (data / "bait").write_text("for everybody")
        assert others_can(data) == [f"opened {data / 'bait'}"]
        doctor = run(["doctor"], env, folder)
        assert "REDISCLI_AUTH=" in doctor.stdout
    finally:
        worker.terminate()
        said = worker.communicate(timeout=60)
    for text in (*said, submitted.stdout, submitted.stderr, doctor.stdout, doctor.stderr):
        assert password not in text
    assert files_with(password, folder) == ["data/server/password"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_where_paths_are_too_long_the_socket_still_is_in_a_private_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ethereal_gui.queue.server_folder import ServerFolder

    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    of_server = ServerFolder(folder / ("long " * 30))
    of_server.prepare()
    socket = of_server.socket()
    assert socket.parent.parent == folder
    socket.touch()
    assert others_can(socket.parent) == []
    # Somebody who has taken the folder's name first gets nothing.
    shutil.rmtree(socket.parent)
    socket.parent.mkdir()
    os.chown(socket.parent, NOBODY, NOBODY)
    other = of_server.socket()
    assert other.parent != socket.parent
    assert stat.S_IMODE(other.parent.stat().st_mode) == 0o700
    other.parent.rmdir()


def test_all_that_is_kept_is_private_whatever_the_umask(
    folder: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    data = folder / "data"
    data.mkdir()
    monkeypatch.setenv("ETHEREAL_DATA_DIR", str(data))
    songs = folder / "songs"
    songs.mkdir()
    make_song(songs / "a.wav", 0.1)
    old = os.umask(0)
    try:
        save_settings({"redis_password": SECRET})
        RenderStore(data / "history.sqlite3")
        window = WindowState(data)
        window.put("batch/folder", str(folder))
        window.flush()
        library = TemplateLibrary(data / "templates")
        library.save(TemplateLibrary(Path("resources/templates")).get("flame"))
        WatchedFolder(songs, data / "watched-folder.json", settle_seconds=0.0).look()
        child_environment(data / "new" / "cache")
    finally:
        os.umask(old)
    names = {path.name for path in data.rglob("*")}
    assert {"settings.json", "history.sqlite3", "window.ini", "flame.json", "watched-folder.json", "kernels"} <= names
    open_ones = {str(path): oct(path.stat().st_mode) for path in data.rglob("*") if path.stat().st_mode & 0o077}
    assert open_ones == {}
    (data / "bait").write_text("for everybody")
    assert by_modes(data) == others_can(data) == [f"opened {data / 'bait'}"]


# -- Servers that are not what they claim --------------------------------------------------------------------------


async def test_a_server_that_cannot_prove_who_it_is_is_refused(folder: Path) -> None:
    async with tls_farm(folder) as (_, line):
        assert (await check_server(line.address_for(f"farm:{SECRET}"))).policy == "noeviction"
        right, line.tls = line.tls, certificate(trustme.CA(), "127.0.0.1")
        with pytest.raises(ServerRefusedError, match="could not be trusted: unable to get local issuer certificate"):
            await check_server(line.address_for(f"farm:{SECRET}"))
        line.tls = right
        elsewhere = address_from_url(line.address_for(f"farm:{SECRET}").url.replace("127.0.0.1", "localhost"))
        with pytest.raises(ServerRefusedError, match=r"not valid for .localhost."):
            await check_server(elsewhere)
        without = address_from_url(f"rediss://farm:{SECRET}@127.0.0.1:{line.port}")
        with pytest.raises(ServerRefusedError, match="could not be trusted"):
            await check_server(without)
        hellos = line.hellos
        gone = address_from_url(f"rediss://127.0.0.1:{line.port}?ssl_ca_certs={folder}/gone.pem")
        with pytest.raises(ServerRefusedError, match="ssl_ca_certs"):
            await check_server(gone)
        assert line.hellos == hellos


async def test_a_worker_does_not_even_begin_with_a_server_that_it_cannot_trust(folder: Path) -> None:
    async with tls_farm(folder) as (_, line):
        line.tls = certificate(trustme.CA(), "127.0.0.1")
        env = environment(folder / "data", REDIS_URL=line.address_for(f"farm:{SECRET}").url)
        worker = await asyncio.to_thread(run, ["worker"], env, folder)
    assert worker.returncode == 1
    assert "could not be trusted" in worker.stderr
    assert SECRET not in worker.stderr + worker.stdout
    assert len(worker.stderr.splitlines()) <= 3, worker.stderr
    assert line.hellos <= 3


async def test_a_server_that_is_another_one_all_of_a_sudden_is_told_and_not_stormed(
    folder: Path, queue_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    async with tls_farm(folder) as (_, line):
        address = line.address_for(f"farm:{SECRET}")
        monkeypatch.setattr(Line, "address", property(lambda _: address))
        async with (
            watching(line, monkeypatch, folder, queue_name) as watcher,
            running(worker_config(address, folder, queue_name), said.append),
        ):
            await watcher.sees("", available=True)
            right, line.tls = line.tls, certificate(trustme.CA(), "127.0.0.1")
            line.cut()
            await watcher.sees("could not be trusted")
            hellos, began = line.hellos, time.monotonic()
            await asyncio.sleep(3.0)
            rate = (line.hellos - hellos) / (time.monotonic() - began)
            # The window's service, its feed and its registry, and the worker's four connections.
            assert rate < 20, f"{rate:.0f} a second"
            assert len(said) <= 3, said

            async def worker_said() -> bool:
                return any("could not be trusted" in text for text in said)

            await until(worker_said)  # it may have been in the middle of a slow attempt
            assert SECRET not in "".join(said)
            line.tls = right
            await watcher.sees("", available=True)

            async def well_again() -> bool:
                return said[-1] == "The server answers again."

            await until(well_again, 30)


async def test_a_user_without_rights_is_told_and_goes_on_once_it_has_them(folder: Path) -> None:
    async with tls_farm(folder) as (server, line):
        await allow(server, "guest", "+ping", "+info")
        env = environment(folder / "data", REDIS_URL=line.address_for(f"guest:{SECRET}").url)
        make_song(folder / "a.wav", 0.2)
        submitted = await asyncio.to_thread(run, ["submit", "a.wav", "-f", "1080p"], env, folder)
        assert submitted.returncode == 1
        assert "does not let this user do that" in submitted.stderr
        assert "keys bull:*" in submitted.stderr
        queue = RenderQueue(address_from_url(f"unix://:{ADMIN}@{server.socket}"))
        gone = AudioFile(id="a1", path=str(folder / "gone.wav"), original_name="gone.wav")
        (job_id,) = (await queue.add_batch_job([gone], "flame", ["1080p"])).job_ids
        worker = start(["worker"], env, folder)
        try:
            await asyncio.sleep(3.0)
            before = await denials(server)
            await asyncio.sleep(2.0)
            asked = await denials(server) - before
            await allow(server, "guest", *RIGHTS)
            job = await finished(queue, job_id)
            assert "not there any more" in (job.failed_reason or "")
            await queue.close_queue()
        finally:
            worker.terminate()
            _, said = await asyncio.to_thread(worker.communicate, timeout=60)
        assert 1 <= said.count("does not let this user do that") <= 4, said
        assert len(said.splitlines()) <= 10, said
        # Its wishes are asked for five times in two seconds, its heartbeat and its jobs less often.
        assert 2 <= asked <= 30, f"{asked} commands in two seconds"
        assert SECRET not in said + submitted.stderr


async def denials(server: PlainServer) -> int:
    """How many commands a server has ever refused for want of rights."""
    info = await server.ask("INFO", "stats", password=ADMIN)
    return int(info["acl_access_denied_cmd"])


def test_the_command_that_reaches_the_server_is_one_that_redis_cli_understands() -> None:
    from ethereal_gui.queue.connection import redis_cli_command

    address = address_from_url("rediss://me:p%40w@[::1]:7000/2?ssl_ca_certs=/a%20b.pem&ssl_certfile=c&ssl_keyfile=k")
    words = shlex.split(redis_cli_command(address))
    assert words == [
        *("redis-cli", "-h", "::1", "-p", "7000", "-n", "2", "--tls", "--cacert", "/a b.pem"),
        *("--cert", "c", "--key", "k", "--user", "me", "--askpass"),
    ]
    assert redis_cli_command(address_from_url("unix:///run/a.sock")) == "redis-cli -s /run/a.sock"
