"""The wheel that is built from this tree brings everything with it, resources included."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.integration.rendering import environment, make_song, videos

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_works_from_another_folder(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(installed)
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/")) or name.endswith(".pyc")]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    make_song(elsewhere / "a.mp3", 0.5)
    # The unpacked wheel comes before the checkout that is installed for the tests.
    env = {**environment(tmp_path / "data"), "PYTHONPATH": str(installed)}
    code = "import ethereal_gui.cli as cli, sys; print(cli.__file__, file=sys.stderr); sys.exit(cli.main())"
    for arguments in (["doctor"], ["render", "a.mp3", "-f", "1080p", "-t", "flame", "-o", "out"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=env,
            cwd=elsewhere,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert str(installed) in done.stderr
    assert len(videos(elsewhere / "out")) == 1
