"""Where things are: bundled resources and the user's data."""

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parents[1]


def resource_path(*parts: str) -> Path:
    """A bundled file or folder: inside the package when installed from a wheel, beside it in a checkout."""
    installed = _PACKAGE / "resources"
    root = installed if installed.is_dir() else _PACKAGE.parent / "resources"
    return root.joinpath(*parts)


def default_data_dir() -> Path:
    """The user's data folder for this program; ``ETHEREAL_DATA_DIR`` overrides it."""
    override = os.environ.get("ETHEREAL_DATA_DIR")
    return Path(override).expanduser().absolute() if override else platformdirs.user_data_path("ethereal", False)


def default_output_dir() -> Path:
    """Where videos go when nothing else is said: a folder in the user's videos folder."""
    return platformdirs.user_videos_path() / "Ethereal"
