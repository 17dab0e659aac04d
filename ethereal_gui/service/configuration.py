"""What the settings mean for the parts: the server's address, a worker's configuration."""

from pathlib import Path

from ethereal_gui.domain.locations import PathMap, parse_path_maps
from ethereal_gui.queue.connection import ServerAddress, address_from_parts, address_from_url
from ethereal_gui.settings import Settings
from ethereal_gui.worker.config import WorkerConfig


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
        template_dirs=settings.template_dirs,
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
