"""What a worker makes of a job's data, and what it refuses."""

from pathlib import Path

import pytest

from ethereal_gui.domain.audio_file import AudioFile
from ethereal_gui.domain.errors import (
    EtherealError,
    FileUnreadableError,
    JobDataError,
    LocationError,
    OutOfReachError,
    TemplateError,
    UnknownFormatError,
    UnknownTemplateError,
)
from ethereal_gui.domain.job import RenderJobData
from ethereal_gui.domain.locations import PathMap
from ethereal_gui.domain.paths import resource_path
from ethereal_gui.queue.connection import address_from_url
from ethereal_gui.worker.config import WorkerConfig
from ethereal_gui.worker.delivery import Errands
from ethereal_gui.worker.requests import errands_of, make_request, read_job_data, seen_by_submitter, work_dir_of


def config(tmp_path: Path, **more: object) -> WorkerConfig:
    values: dict[str, object] = {
        "address": address_from_url("redis://localhost:1"),
        "data_dir": tmp_path / "data",
        "output_dir": tmp_path / "out",
        "name_pattern": "{song}_v{n}",
        "template_dirs": (resource_path("templates"),),
        **more,
    }
    return WorkerConfig(**values)  # type: ignore[arg-type]


def data(**more: object) -> RenderJobData:
    values: dict[str, object] = {
        "batch_id": "b",
        "audio_file": AudioFile(id="a", path="/music/a song.mp3", original_name="a song.mp3", title="T", artist="A"),
        "template": "flame",
        "output_format": "360stereo",
        "render_db_id": None,
        **more,
    }
    return RenderJobData.model_validate(values)


def test_a_job_without_wishes_gets_the_workers_own(tmp_path: Path) -> None:
    request = make_request(config(tmp_path), "b-a-1080p", data())
    assert (request.output_dir, request.name_pattern, request.fps) == (str(tmp_path / "out"), "{song}_v{n}", 30)
    assert request.name_fields["song"] == "a song"
    assert request.name_fields["format"] == "360_TB"
    assert (request.title, request.artist) == ("T", "A")


def test_a_job_can_say_what_it_wants(tmp_path: Path) -> None:
    request = make_request(
        config(tmp_path), "j", data(output_dir="/videos", fps=60, quality="high", name_pattern="{date} {n}")
    )
    assert (request.output_dir, request.fps, request.quality, request.name_pattern) == (
        "/videos",
        60,
        "high",
        "{date} {n}",
    )


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"output_format": "8mm"}, UnknownFormatError),
        ({"template": "../../etc/passwd"}, UnknownTemplateError),
        ({"template_values": {"no_such": 1.0}}, TemplateError),
        ({"fps": 25}, JobDataError),
        ({"name_pattern": "../{n}"}, JobDataError),
        ({"output_dir": "relative"}, JobDataError),
        ({"audio_file": AudioFile(id="a", path="song.mp3", original_name="song.mp3")}, JobDataError),
    ],
)
def test_wrong_values_are_refused_with_a_reason(
    tmp_path: Path, wrong: dict[str, object], error: type[EtherealError]
) -> None:
    with pytest.raises(error):
        make_request(config(tmp_path), "j", data(**wrong))


def test_a_confined_worker_writes_only_below_its_own_folder(tmp_path: Path) -> None:
    request = make_request(config(tmp_path, own_output_only=True), "j", data(output_dir="/etc"))
    assert request.output_dir == str(tmp_path / "out")


def test_a_confined_worker_reads_only_below_its_roots_links_resolved(tmp_path: Path) -> None:
    root, secret = tmp_path / "music", tmp_path / "secret.mp3"
    root.mkdir()
    secret.write_bytes(b"x")
    (root / "link.mp3").symlink_to(secret)
    inside = AudioFile(id="a", path=str(root / "a.mp3"), original_name="a.mp3")
    outside = AudioFile(id="a", path=str(root / "link.mp3"), original_name="link.mp3")
    confined = config(tmp_path, audio_roots=(root,))
    assert make_request(confined, "j", data(audio_file=inside)).audio_path == str(root / "a.mp3")
    with pytest.raises(FileUnreadableError, match="outside"):
        make_request(confined, "j", data(audio_file=outside))


def wire(**more: object) -> dict[str, object]:
    return {**data().to_wire(), **more}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (wire(outputDir="/a\0b"), "outputDir"),
        (wire(outputDir="/" + "x" * 5000), "outputDir"),
        (wire(picture="/a\udcff.png"), "picture"),
        (wire(batchId="a:jobs"), "batchId"),
        (wire(batchId=""), "batchId"),
        (wire(template="x" * 101), "template"),
        (wire(title="\ud800"), "title"),
        (wire(fps="many"), "fps"),
        (wire(maxBitRate=float("nan")), "maxBitRate"),
        (wire(templateValues={f"v{n}": 1 for n in range(300)}), "templateValues"),
        (wire(templateValues={"heat": "hot"}), "templateValues"),
        (wire(audioFile={"id": "a", "path": "/a\udcff.mp3", "originalName": "a"}), "audioFile.path"),
        (wire(audioFile={"id": "a\n", "path": "/a", "originalName": "a"}), "audioFile.id"),
        (wire(audioFile={"id": "a", "path": "/a", "originalName": "a" * 1001}), "audioFile.originalName"),
        (
            wire(audioFile={"id": "a", "path": "/a", "originalName": "a", "duration": float("inf")}),
            "audioFile.duration",
        ),
        (wire(audioFile={"id": "a", "path": "/a", "originalName": "a", "size": -1}), "audioFile.size"),
        (wire(audioFile={"id": "a", "path": "/a", "originalName": "a", "size": 10**30}), "audioFile.size"),
    ],
)
def test_values_beyond_their_limits_are_refused_by_name(raw: dict[str, object], field: str) -> None:
    with pytest.raises(JobDataError, match=field.replace(".", r"\.")):
        read_job_data(raw)


def test_more_than_a_megabyte_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(JobDataError, match="too large"):
        read_job_data(wire(padding="x" * (1 << 20)))


def test_a_loop_of_links_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").symlink_to(tmp_path / "b.mp3")
    (tmp_path / "b.mp3").symlink_to(tmp_path / "a.mp3")
    audio = AudioFile(id="a", path=str(tmp_path / "a.mp3"), original_name="a.mp3")
    with pytest.raises(FileUnreadableError, match="links"):
        make_request(config(tmp_path, audio_roots=(tmp_path,)), "j", data(audio_file=audio))


@pytest.mark.parametrize("raw", [None, 7, "text", [], {}, {"batchId": 3}, {"audioFile": "x" * 10_000}])
def test_malformed_data_says_what_is_wrong_in_a_few_words(raw: object) -> None:
    with pytest.raises(JobDataError, match="not valid") as caught:
        read_job_data(raw)
    assert len(str(caught.value)) < 1000


def test_the_work_folder_is_the_same_at_every_attempt_and_inside_the_data_folder(tmp_path: Path) -> None:
    one = config(tmp_path)
    hostile = "../../x\udcff:y"
    assert work_dir_of(one, hostile) == work_dir_of(config(tmp_path), hostile)
    assert work_dir_of(one, hostile).parent == one.work_root
    assert work_dir_of(one, "a") != work_dir_of(one, "b")


def test_path_maps_come_before_roots_and_output_folder(tmp_path: Path) -> None:
    music, out = tmp_path / "music", tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    maps = (PathMap("/Volumes/music", str(music)), PathMap("/Volumes/out", str(out)), PathMap("/Volumes/x", "/etc"))
    confined = config(tmp_path, audio_roots=(music,), own_output_only=True, path_maps=maps)

    def path(text: str) -> AudioFile:
        return AudioFile(id="a", path=text, original_name="a.mp3")

    job = data(audio_file=path("/Volumes/music/a.mp3"), output_dir="/Volumes/out/sub")
    request = make_request(confined, "j", job)
    assert (request.audio_path, request.output_dir) == (str(music / "a.mp3"), str(out / "sub"))
    assert seen_by_submitter(confined, job, f"{request.output_dir}/v.mp4") == "/Volumes/out/sub/v.mp4"
    for elsewhere in ("/Volumes/x", "/Volumes/out/../../etc", "/Volumes/out/not there", r"Z:\out"):
        job = data(audio_file=path("/Volumes/music/a.mp3"), output_dir=elsewhere)
        assert make_request(confined, "j", job).output_dir == str(out)
        assert seen_by_submitter(confined, job, f"{out}/v.mp4") == f"{out}/v.mp4"
    for stranger in ("/Volumes/x/passwd", "/Volumes/music/../../etc/passwd", str(tmp_path / "a.mp3")):
        with pytest.raises(FileUnreadableError, match="outside"):
            make_request(confined, "j", data(audio_file=path(stranger)))


def test_a_path_of_another_system_is_out_of_reach_not_wrong(tmp_path: Path) -> None:
    theirs = AudioFile(id="a", path=r"Z:\music\a.mp3", original_name="a.mp3")
    with pytest.raises(OutOfReachError, match="another system"):
        make_request(config(tmp_path), "j", data(audio_file=theirs))
    with pytest.raises(OutOfReachError, match="another system"):
        make_request(config(tmp_path), "j", data(output_dir=r"\\nas\videos"))


def test_what_lies_on_servers_is_fetched_into_the_jobs_own_folder_and_sent_from_it(tmp_path: Path) -> None:
    work = work_dir_of(config(tmp_path), "j")
    audio = AudioFile(id="a", path="sftp://nas/music/50%? .wav", original_name="50%? .wav")
    job = data(audio_file=audio, output_dir="s3://bucket/videos", caption="picture", picture="sftp://nas/cover.png")
    request, errands = make_request(config(tmp_path), "j", job), errands_of(config(tmp_path), "j", job)
    assert [url for url, _ in errands.fetch] == ["sftp://nas/music/50%? .wav", "sftp://nas/cover.png"]
    assert [str(path) for _, path in errands.fetch] == [request.audio_path, request.picture]
    assert Path(request.audio_path).name == "50%.wav"
    assert errands.send_to == "s3://bucket/videos"
    for path in (request.audio_path, request.picture or "", request.output_dir):
        assert Path(path).is_relative_to(work)
    assert errands_of(config(tmp_path), "j", data()) == Errands()


def test_a_confined_worker_fetches_only_below_its_roots_and_sends_nothing(tmp_path: Path) -> None:
    def job(url: str) -> RenderJobData:
        return data(audio_file=AudioFile(id="a", path=url, original_name="a.wav"), output_dir="sftp://nas/videos")

    confined = config(tmp_path, audio_roots=(), url_roots=("sftp://nas/music",), own_output_only=True)
    assert errands_of(confined, "j", job("sftp://nas/music/a.wav")).send_to is None
    assert make_request(confined, "j", job("sftp://nas/music/a.wav")).output_dir == str(tmp_path / "out")
    for elsewhere in ("sftp://nas/a.wav", "sftp://other/music/a.wav", "s3://nas/music/a.wav", "/nas/music/a.wav"):
        with pytest.raises(OutOfReachError, match="outside"):
            make_request(confined, "j", job(elsewhere))
    with pytest.raises(LocationError):
        make_request(confined, "j", job("sftp://nas/music/../a.wav"))
    with pytest.raises(OutOfReachError, match="outside"):
        make_request(config(tmp_path, audio_roots=(tmp_path,)), "j", job("sftp://nas/music/a.wav"))


def test_the_video_on_a_server_is_seen_where_the_map_came_from(tmp_path: Path) -> None:
    mapped = config(tmp_path, path_maps=(PathMap("/Volumes/videos", "sftp://nas/videos"),))
    job = data(output_dir="/Volumes/videos/new")
    assert errands_of(mapped, "j", job).send_to == "sftp://nas/videos/new"
    assert seen_by_submitter(mapped, job, "sftp://nas/videos/new/v.mp4") == "/Volumes/videos/new/v.mp4"
