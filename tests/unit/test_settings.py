"""Environment first, then the file, then the default; bad values say where they stand."""

import json
import stat
from pathlib import Path

import pytest

from ethereal_gui.domain.errors import SettingsError
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.paths import default_output_dir
from ethereal_gui.settings import Settings, Theme, WhenDone, load_settings, save_settings, settings_file


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "ETHEREAL_FPS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ETHEREAL_DATA_DIR", str(tmp_path / "datä dir"))
    monkeypatch.chdir(tmp_path)


def test_defaults_use_the_embedded_server() -> None:
    settings = load_settings()
    assert settings.uses_embedded_server
    assert settings.formats == ("1080p",)


def test_environment_beats_file_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    save_settings({"fps": 60, "theme": Theme.LIGHT})
    assert (load_settings().fps, load_settings().theme) == (60, Theme.LIGHT)
    monkeypatch.setenv("ETHEREAL_FPS", "30")
    assert load_settings().fps == 30


def test_redis_goes_by_its_usual_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_HOST", "queue.local")
    monkeypatch.setenv("REDIS_PORT", "6400")
    settings = load_settings()
    assert (settings.redis_host, settings.redis_port, settings.uses_embedded_server) == ("queue.local", 6400, False)


def test_a_dotenv_file_in_the_current_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("REDIS_URL=redis://elsewhere:6379\n")
    url = load_settings().redis_url
    assert url is not None
    assert url.get_secret_value() == "redis://elsewhere:6379"


def test_a_dotenv_file_names_the_server_and_nothing_else(tmp_path: Path) -> None:
    """It may have come with a stranger's songs."""
    (tmp_path / ".env").write_text(
        "REDIS_HOST=elsewhere\nETHEREAL_DONE_COMMAND=rm -r /\nETHEREAL_WHEN_DONE=command\nETHEREAL_OUTPUT_DIR=/etc\n"
        "done_command=rm\nwatch_folder=/\n"
    )
    settings = load_settings()
    assert settings.redis_host == "elsewhere"
    assert (settings.done_command, settings.when_done, settings.watch_folder) == ("", WhenDone.NOTHING, None)
    assert settings.output_dir == default_output_dir()


def test_saving_keeps_the_rest_and_none_removes(tmp_path: Path) -> None:
    save_settings({"output_dir": tmp_path / "Vidéos", "quality": Quality.HIGH})
    assert save_settings({"quality": None}).quality is Quality.STANDARD
    assert load_settings().output_dir == tmp_path / "Vidéos"


def test_the_file_is_private_and_secrets_do_not_show() -> None:
    settings = save_settings({"redis_password": "hunter2"})
    assert stat.S_IMODE(settings_file().stat().st_mode) == 0o600
    assert "hunter2" not in repr(settings)
    assert settings.redis_password is not None
    assert settings.redis_password.get_secret_value() == "hunter2"


@pytest.mark.parametrize(("name", "value"), [("fps", 25), ("name_pattern", "{song}"), ("formats", ("8mm",))])
def test_a_bad_value_is_refused_and_the_file_stays(name: str, value: object) -> None:
    save_settings({"fps": 60})
    with pytest.raises(SettingsError, match=name):
        save_settings({name: value})
    assert json.loads(settings_file().read_text()) == {"fps": 60}


def test_a_damaged_file_is_named() -> None:
    save_settings({"fps": 60})
    settings_file().write_text("{ not json")
    with pytest.raises(SettingsError, match="damaged"):
        load_settings()


def test_every_setting_says_what_the_dialog_needs() -> None:
    for name, field in Settings.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert isinstance(field.json_schema_extra, dict), name
        assert "section" in field.json_schema_extra, name


def test_shared_folders_are_checked_when_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHEREAL_PATH_MAPS", r" /Volumes/music=/mnt/music;Z:\music = sftp://nas/music ;")
    assert load_settings().path_maps == r"/Volumes/music=/mnt/music; Z:\music=sftp://nas/music"
    for wrong in ("/Volumes/music", "music=/mnt/music", "/music=sftp://ada:hush@nas/music", "/music=ftp://nas/music"):
        with pytest.raises(SettingsError) as caught:
            save_settings({"path_maps": wrong})
        assert "hush" not in str(caught.value)
