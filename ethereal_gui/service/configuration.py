"""What the settings mean for the parts: the server's address, folders of templates, a worker's configuration."""

from pathlib import Path

from ethereal_gui.domain.locations import PathMap, parse_path_maps
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.queue.connection import ServerAddress, address_from_parts, address_from_url, check_server
from ethereal_gui.settings import Settings
from ethereal_gui.worker.config import WorkerConfig


async def check_reachable(address: ServerAddress) -> None:
    """Raise a QueueError while the server cannot be used."""
    await check_server(address)


def template_dirs(settings: Settings) -> tuple[Path, ...]:
    """Folders of templates: bundled, then the user's own."""
    return resource_path("templates"), settings.data_dir / "templates"


def remote_url(settings: Settings) -> tuple[object, ...]:
    """What of the settings names the shared server, for comparing."""
    return (
        settings.redis_url,
        settings.redis_host,
        settings.redis_port,
        settings.redis_username,
        settings.redis_password,
    )


def remote_address(settings: Settings) -> ServerAddress:
    """The shared server that the settings name."""
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    if settings.redis_url:
        url = settings.redis_url.get_secret_value()
        return address_from_url(url, password=password, username=settings.redis_username)
    return address_from_parts(
        settings.redis_host or "localhost",
        settings.redis_port,
        password,
        username=settings.redis_username,
    )


def worker_config(
    settings: Settings,
    address: ServerAddress,
    *,
    queue_name: str = "render-queue",
    concurrency: int | None = None,
    own_output_only: bool = False,
    audio_roots: tuple[Path, ...] | None = None,
    url_roots: tuple[str, ...] = (),
    path_maps: tuple[PathMap, ...] = (),
) -> WorkerConfig:
    """A worker's settings from the program's."""
    return WorkerConfig(
        address=address,
        data_dir=settings.data_dir,
        output_dir=settings.output_dir,
        name_pattern=settings.name_pattern,
        template_dirs=template_dirs(settings),
        fps=settings.fps,
        quality=settings.quality,
        encoder=settings.encoder,
        threads=settings.threads,
        concurrency=concurrency or settings.parallel_renders,
        memory=int(settings.memory_limit * 1e9),
        hang_seconds=settings.hang_minutes * 60,
        own_output_only=own_output_only,
        audio_roots=audio_roots,
        url_roots=url_roots,
        path_maps=(*path_maps, *parse_path_maps(settings.path_maps)),
        queue_name=queue_name,
    )
