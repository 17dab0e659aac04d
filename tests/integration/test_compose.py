"""docker-compose.yml says what it has to, and a real server does with its command line what it promises."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ethereal_gui.domain.errors import ServerRefusedError
from ethereal_gui.queue.connection import ServerAddress, address_from_parts, check_server, open_client
from ethereal_gui.queue.server_process import find_binary
from tests.integration.workers import until

_ROOT = Path(__file__).resolve().parents[2]


def _service() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load((_ROOT / "docker-compose.yml").read_text("utf-8"))
    assert list(compose["services"]) == ["redis"]
    assert "redis-data" in compose["volumes"]
    service: dict[str, Any] = compose["services"]["redis"]
    return service


def _command(password: str) -> list[str]:
    """The command line as compose makes it with the environment's password."""
    return [re.sub(r"\$\{REDIS_PASSWORD:-\}", password, str(word)) for word in _service()["command"]]


def test_the_service_is_as_documented() -> None:
    service = _service()
    assert service["image"] == "redis:7-alpine"
    assert service["container_name"] == "ethereal-redis"
    assert service["restart"] == "unless-stopped"
    assert service["ports"] == ["127.0.0.1:6379:6379"]
    assert service["volumes"] == ["redis-data:/data"]
    check = service["healthcheck"]
    assert check["test"] == ["CMD", "redis-cli", "ping"]
    assert (check["interval"], check["timeout"], check["retries"]) == ("10s", "5s", 5)
    assert service["environment"]["REDISCLI_AUTH"] == "${REDIS_PASSWORD:-}"
    assert "REDIS_URL=redis://localhost:6379" in (_ROOT / ".env.example").read_text("utf-8").splitlines()


@pytest.mark.parametrize("password", ["", "se cret"])
async def test_a_server_with_exactly_that_command_line(tmp_path: Path, unused_tcp_port: int, password: str) -> None:
    command = _command(password)
    assert command[0] == "redis-server"
    # The container's working folder is its volume and its port its own; here both have to be given.
    where = ["--dir", str(tmp_path), "--port", str(unused_tcp_port), "--bind", "127.0.0.1"]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [command[0], *command[1:], *where], executable=find_binary(), stdout=subprocess.DEVNULL, env=os.environ
        )

    address = address_from_parts("127.0.0.1", unused_tcp_port, password or None)

    async def answers() -> bool:
        try:
            await check_server(address)
        except ServerRefusedError:
            raise
        except Exception:
            return False
        return True

    for run in (1, 2):
        process = start()
        try:
            await until(answers, 10)
            facts = await check_server(address)
            assert (facts.policy, facts.persistent) == ("noeviction", True)
            client = open_client(address)
            if run == 1:
                await client.set("kept", "1")
            assert await client.get("kept") == "1"
            await client.aclose()
            if password:
                with pytest.raises(ServerRefusedError):
                    await check_server(ServerAddress(f"redis://127.0.0.1:{unused_tcp_port}"))
        finally:
            process.terminate()
            process.wait(10)
