"""What a rendering child finds when it starts."""

from pathlib import Path

import pytest

from ethereal_gui.domain.errors import FileMissingError
from ethereal_gui.domain.formats import Quality
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.domain.template import TemplateLibrary
from ethereal_gui.worker.messages import RenderRequest
from ethereal_gui.worker.sandbox import RenderProcess


async def test_the_folders_of_a_child_are_there_before_it_is_confined_to_them(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    request = RenderRequest(
        audio_path=str(tmp_path / "none.wav"),
        template=TemplateLibrary(resource_path("templates")).get("flame"),
        output_format="1080p",
        fps=30,
        quality=Quality.DRAFT,
        output_dir=str(tmp_path / "out"),
        name_pattern="{song}",
        name_fields={"song": "a"},
        work_dir=str(tmp_path / "data" / "work" / "job"),
        cache_dir=str(tmp_path / "data" / "cache"),
    )
    process = RenderProcess(request, on_progress=lambda _: None, on_log=lambda _: None, hang_seconds=60.0)
    with pytest.raises(FileMissingError):
        await process.run()
    assert (tmp_path / "data" / "cache").is_dir(), "compiled code and analyses are kept from the first render on"
    assert (tmp_path / "data" / "work" / "job").is_dir()
