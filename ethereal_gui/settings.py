"""One typed settings class: environment first, then the settings file, then the default.

Every field says its bounds, its description and, in ``json_schema_extra``, under which heading the settings dialog
shows it. ``REDIS_URL``, ``REDIS_HOST``, ``REDIS_PORT``, ``REDIS_USERNAME`` and ``REDIS_PASSWORD`` go by their usual
names; every other field is ``ETHEREAL_`` and its name in capitals. A ``.env`` file in the current folder may name the
server too, and nothing else.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    JsonConfigSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ethereal_gui.domain.errors import EtherealError, SettingsError
from ethereal_gui.domain.formats import FORMATS, Quality
from ethereal_gui.domain.hours import parse_hours
from ethereal_gui.domain.locations import parse_path_maps
from ethereal_gui.domain.naming import DEFAULT_PATTERN, check_pattern
from ethereal_gui.domain.paths import default_data_dir, default_output_dir, resource_path
from ethereal_gui.domain.private import write_private

FILE_NAME: Final = "settings.json"


class Theme(StrEnum):
    """Appearance of the window."""

    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"


class CloseBehaviour(StrEnum):
    """What closing the window does while a render runs."""

    ASK = "ask"
    FINISH = "finish"
    STOP = "stop"
    TRAY = "tray"


class WhenDone(StrEnum):
    """What happens when everything in the queue is done."""

    NOTHING = "nothing"
    QUIT = "quit"
    SLEEP = "sleep"
    SHUT_DOWN = "shut_down"
    COMMAND = "command"


def _hours(value: str) -> str:
    try:
        hours = parse_hours(value)
    except SettingsError as error:
        raise ValueError(str(error)) from error
    return str(hours) if hours else ""


def _pattern(value: str) -> str:
    try:
        return check_pattern(value)
    except SettingsError as error:
        raise ValueError(str(error)) from error


def _path_maps(value: str) -> str:
    try:
        return "; ".join(map(str, parse_path_maps(value)))
    except EtherealError as error:
        raise ValueError(str(error)) from error


def _number(value: object) -> object:
    """Environment variables are text."""
    return int(value) if isinstance(value, str) and value.strip().isdigit() else value


def _formats(value: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in value if name not in FORMATS]
    if unknown:
        raise ValueError(f"unknown format {', '.join(unknown)}; choose from {', '.join(FORMATS)}")
    return value


def _field(default: Any, section: str, title: str, description: str, **bounds: Any) -> Any:
    return Field(
        default=default, title=title, description=description, json_schema_extra={"section": section}, **bounds
    )


def _server_field(env_name: str, default: Any, title: str, description: str, **bounds: Any) -> Any:
    return _field(
        default,
        "Server",
        title,
        description,
        validation_alias=AliasChoices(env_name, env_name.lower()),
        **bounds,
    )


class Settings(BaseSettings):
    """All settings of the program; frozen, a change makes a new object (see ``with_changes``)."""

    model_config = SettingsConfigDict(
        env_prefix="ETHEREAL_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        validate_default=False,
    )

    output_dir: Path = Field(
        default_factory=default_output_dir,
        title="Output folder",
        description="Where finished videos go.",
        json_schema_extra={"section": "Output"},
    )
    name_pattern: Annotated[str, AfterValidator(_pattern)] = _field(
        DEFAULT_PATTERN,
        "Output",
        "File name",
        "Pattern of file names: {date} {song} {artist} {template} {format}, and {n} for the version.",
    )
    template: str = _field("flame", "Output", "Template", "The template that a new batch starts with.")
    formats: Annotated[tuple[str, ...], AfterValidator(_formats)] = _field(
        ("1080p",), "Output", "Formats", "The formats that a new batch starts with."
    )
    fps: Annotated[Literal[30, 60], BeforeValidator(_number)] = _field(
        30, "Output", "Frames per second", "30, or 60 for smoother motion at twice the time."
    )
    quality: Quality = _field(
        Quality.STANDARD, "Output", "Quality", "Draft is quick, high keeps the softest gradients and takes longer."
    )
    repeats: Literal["new_version", "leave_out"] = _field(
        "new_version",
        "Output",
        "What was rendered before",
        "Nothing is ever overwritten: it gets the next version number, or is left out of a new batch.",
    )
    max_bit_rate: int = _field(
        0,
        "Output",
        "Bit-rate limit (Mb/s)",
        "The most that a video may take, for platforms that refuse more (Reels: 25). 0 leaves it to the format.",
        ge=0,
        le=1000,
    )
    parallel_renders: int = _field(
        1,
        "Rendering",
        "Renders at a time",
        "One render uses all processors already; more need more memory.",
        ge=1,
        le=8,
    )
    split_minutes: int = _field(
        0,
        "Rendering",
        "Split long videos (minutes)",
        "Longer videos than this, and 8K ones, are rendered by all workers together, which share the output folder "
        "then. 0: each by one worker.",
        ge=0,
        le=100_000,
    )
    threads: int = _field(
        0, "Rendering", "Processor threads", "Threads of one render; 0 takes all processors.", ge=0, le=64
    )
    memory_limit: float = _field(
        0.0,
        "Rendering",
        "Memory limit (GB)",
        "What all renders together may use; 0: three quarters of this computer's memory. A render gets 6 GB at least.",
        ge=0,
        le=4096,
    )
    encoder: Literal["auto", "software", "av1", "nvenc", "qsv", "amf", "videotoolbox", "vaapi"] = _field(
        "auto",
        "Rendering",
        "Video encoder",
        "Auto takes the graphics card's encoder where a trial encode succeeds; software works everywhere. "
        "AV1 makes smaller files for newer players (8192 x 8192 stays HEVC).",
    )
    hang_minutes: float = _field(
        10.0,
        "Rendering",
        "Hang limit (minutes)",
        "A render without any progress for so long is started again.",
        ge=0.1,
        le=240,
    )
    shutdown_timeout: float = _field(
        30.0,
        "Rendering",
        "Finish limit (seconds)",
        "On a stop signal a running render may finish for so long before it is put back into the queue.",
        ge=0,
        le=86_400,
    )
    hours: Annotated[str, AfterValidator(_hours)] = _field(
        "",
        "Automation",
        "Render only at these hours",
        "For example 22:00-07:00; empty: at any time. A render that runs when they end is finished.",
    )
    when_done: WhenDone = _field(
        WhenDone.NOTHING,
        "Automation",
        "When everything is done",
        "Once the last job has ended, after a minute in which it can be called off.",
    )
    done_command: str = _field(
        "", "Automation", "Command", "The program with its arguments that is run when everything is done."
    )
    watch_folder: Path | None = _field(
        None,
        "Automation",
        "Watched folder",
        "Songs that are put into this folder from now on are rendered with the template and formats under Output.",
    )
    redis_url: SecretStr | None = _server_field(
        "REDIS_URL",
        None,
        "Server address",
        "redis:// or rediss:// address of a shared server; empty: the built-in one.",
    )
    redis_host: str | None = _server_field("REDIS_HOST", None, "Server host", "Used when there is no address.")
    redis_port: int = _server_field("REDIS_PORT", 6379, "Server port", "Used with the host.", ge=1, le=65_535)
    redis_username: str | None = _server_field("REDIS_USERNAME", None, "User name", "For servers with ACL users.")
    redis_password: SecretStr | None = _server_field(
        "REDIS_PASSWORD", None, "Password", "Used when the address does not have one itself."
    )
    path_maps: Annotated[str, AfterValidator(_path_maps)] = _field(
        "",
        "Server",
        "Shared folders",
        "What folders of other computers' jobs are called here: /Volumes/music=/mnt/music; Z:\\music=/mnt/music.",
    )
    theme: Theme = _field(Theme.SYSTEM, "Window", "Appearance", "Dark, light, or as the system has it.")
    close_behaviour: CloseBehaviour = _field(
        CloseBehaviour.ASK, "Window", "On closing", "What closing the window does while a render runs."
    )
    notifications: bool = _field(True, "Window", "Notifications", "One notification when a batch is done.")

    @property
    def data_dir(self) -> Path:
        """Folder of the server's data, history, caches and unfinished work."""
        return default_data_dir()

    @property
    def uses_embedded_server(self) -> bool:
        """No shared server is configured."""
        return not self.redis_url and not self.redis_host

    def names_server_of(self, other: "Settings") -> bool:
        """Whether both name the same server, in the same words."""
        names = ("redis_url", "redis_host", "redis_port", "redis_username", "redis_password")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    @property
    def template_dirs(self) -> tuple[Path, ...]:
        """Folders of templates: bundled, then the user's own."""
        return resource_path("templates"), self.data_dir / "templates"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment, then ``.env``, then the settings file."""
        file = JsonConfigSettingsSource(settings_cls, json_file=settings_file())
        return init_settings, env_settings, _ServerOnly(settings_cls), file

    def with_changes(self, changes: Mapping[str, Any]) -> "Settings":
        """A copy with the given fields set, checked as if they came from the file.

        Raises:
            SettingsError: a value is not valid.
        """
        current = {name: getattr(self, name) for name in type(self).model_fields}
        try:
            return type(self)(**{**current, **changes})
        except ValidationError as error:
            raise SettingsError(_readable(error)) from error


class _ServerOnly(DotEnvSettingsSource):
    """``.env`` of the current folder: it may have come with a stranger's songs, and must not name a command to run."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if name.lower().startswith("redis_")}


def settings_file() -> Path:
    """The settings file of this user."""
    return default_data_dir() / FILE_NAME


def load_settings() -> Settings:
    """The settings as environment and file have them.

    Raises:
        SettingsError: a value is not valid, or the file is not JSON; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_readable(error), hint=f"See the environment and {settings_file()}.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The settings file is damaged: {error}.", hint=f"Mend or remove {settings_file()}."
        ) from error


def save_settings(changes: Mapping[str, Any]) -> Settings:
    """Write the given fields to the settings file (None removes one) and load again.

    Raises:
        SettingsError: a value is not valid; the file stays as it was.
    """
    load_settings().with_changes({name: value for name, value in changes.items() if value is not None})
    path = settings_file()
    stored: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for name, value in changes.items():
        if value is None:
            stored.pop(name, None)
        else:
            stored[name] = _plain(value)
    write_private(path, json.dumps(stored, indent=2, ensure_ascii=False) + "\n")
    return load_settings()


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path | StrEnum):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return value


def _readable(error: ValidationError) -> str:
    parts = [
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors()
    ]
    return f"A setting is not valid: {'; '.join(parts)}."
