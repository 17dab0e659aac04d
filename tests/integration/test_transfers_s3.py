"""Songs and videos in an S3-compatible store: moto's server, where it is installed.

It cannot live in this program's own environment, because boto needs an older python-dateutil than BullMQ does:
``pipx install 'moto[server]'`` puts it beside.
"""

import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ethereal_gui.domain.errors import FileMissingError, TransferError
from ethereal_gui.worker.messages import FetchRequest, FolderRequest, SendRequest, Transferred
from tests.integration.test_transfers import transfer

MOTO = shutil.which("moto_server")
pytestmark = pytest.mark.skipif(MOTO is None, reason="moto_server is not installed: nothing of s3 is tested")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store with the bucket ``music``; its address."""
    assert MOTO
    port = 20_000 + os.getpid() % 20_000
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([MOTO, "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            if process.poll() is not None:
                pytest.skip("moto_server does not start: nothing of s3 is tested")
            with suppress(OSError):
                put(f"{address}/music", b"")
                break
            time.sleep(0.1)
        values = {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        yield f"{address}/music"
    finally:
        process.kill()
        process.wait()


def put(address: str, data: bytes) -> None:
    """An object by plain HTTP."""
    http("PUT", address, data)


def http(method: str, address: str, data: bytes | None = None) -> bytes:
    """A request that is signed as far as the server looks."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Authorization": "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, Signature=x",
    }
    with urllib.request.urlopen(urllib.request.Request(address, data, headers, method=method), timeout=10) as answer:
        return bytes(answer.read())


async def test_a_song_is_fetched_and_videos_are_sent_without_replacing_anything(tmp_path: Path, store: str) -> None:
    song = os.urandom(20_000_000)
    put(f"{store}/album/a%20song.wav", song)
    target = tmp_path / "a song.wav"
    fetched = await transfer(tmp_path, FetchRequest(url="s3://music/album/a song.wav", path=str(target)))
    assert fetched.size == len(song)
    assert target.read_bytes() == song
    with pytest.raises(FileMissingError):
        await transfer(tmp_path, FetchRequest(url="s3://music/none.wav", path=str(tmp_path / "none")))

    await transfer(tmp_path, FolderRequest(url="s3://music/videos"))
    with pytest.raises(TransferError):
        await transfer(tmp_path, FolderRequest(url="s3://no-such-bucket/videos"))
    put(f"{store}/videos/s_v1.mp4", b"somebody's")
    put(f"{store}/videos/s_v3.mp4", b"ethereal k")
    request = SendRequest(
        path=str(target),
        folder="s3://music/videos",
        name_pattern="{song}_v{n}",
        name_fields={"song": "s"},
        key="k",
        record=str(tmp_path / "sent"),
    )
    sent = await transfer(tmp_path, request)
    assert sent == Transferred(place="s3://music/videos/s_v2.mp4", size=len(song))
    assert await transfer(tmp_path, request) == sent, (
        "an attempt that died right after the transfer has left its record"
    )
    Path(request.record).unlink()
    reserved = await transfer(tmp_path, request)
    assert reserved.place == "s3://music/videos/s_v3.mp4", "the name that an attempt of the same job has reserved"
    assert http("GET", f"{store}/videos/s_v1.mp4") == b"somebody's"
    assert http("GET", f"{store}/videos/s_v2.mp4") == song
    assert http("GET", f"{store}/videos/s_v3.mp4") == song
