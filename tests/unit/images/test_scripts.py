import io
import tarfile
from pathlib import Path

import pytest

from include.nacre.local.images.errors import UserError
from include.nacre.local.images.scripts import ScriptError, entry_command, place_source
from include.nacre.local.images.variables import Flavour

PY = "PYTHON"


@pytest.mark.parametrize(
    ("program", "files", "flavour", "expected"),
    [
        ("train.py", (), "T", [PY, "train.py", "--a", "1 2"]),
        ("train.py", (), "C", [PY, "-m", "train", "--a", "1 2"]),
        ("my-train.py", (), "C", [PY, "-m", "my-train", "--a", "1 2"]),
        ("train.py", ("setup.py",), "T", [PY, "-m", "train", "--a", "1 2"]),
        ("train.sh", ("setup.py",), "T", ["/bin/sh", "-c", "./train.sh --a '1 2'"]),
        ("train.sh", (), "C", ["/bin/sh", "-c", "./train.sh --a '1 2'"]),
        ("run-it", (), "T", ["/bin/sh", "-c", "./run-it --a '1 2'"]),
    ],
)
def test_an_entry_point_runs_as_its_kind_does(
    tmp_path: Path, program: str, files: tuple[str, ...], flavour: Flavour, expected: list[str]
) -> None:
    for name in files:
        (tmp_path / name).touch()
    command = entry_command(program, tmp_path, flavour, ["--a", "1 2"])
    assert [PY if word.endswith(("python", "python3")) else word for word in command] == expected


def tar_at(path: Path, name: str = "train.py") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    return path


def test_a_source_from_s3_is_unpacked_from_what_was_fetched(tmp_path: Path) -> None:
    place_source("s3://b/s.tar.gz", tar_at(tmp_path / "fetched"), tmp_path / "code")
    assert [path.name for path in (tmp_path / "code").iterdir()] == ["train.py"]


def test_a_local_source_is_a_folder_an_archive_or_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "train.py").touch()
    single = tmp_path / "train.py"
    single.touch()
    for number, source in enumerate([folder, tar_at(tmp_path / "a.tar.gz"), single]):
        code = tmp_path / f"code-{number}"
        place_source(str(source), tmp_path / "nothing", code)
        assert [path.name for path in code.iterdir()] == ["train.py"]


def test_code_that_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.py").touch()
    place_source("s3://b/s.tar.gz", tmp_path / "nothing", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="The source /no/such/folder does not exist"):
        place_source("/no/such/folder", tmp_path / "nothing", tmp_path / "code")


def test_an_archive_cannot_write_outside_of_the_code(tmp_path: Path) -> None:
    archive = tar_at(tmp_path / "a.tar.gz", "../outside.py")
    with pytest.raises(UserError, match=r"cannot be unpacked: '\.\./outside\.py' would"):
        place_source("s3://b/a.tar.gz", archive, tmp_path / "code")
    assert not (tmp_path / "outside.py").exists()


def test_each_flavour_has_its_own_words_for_a_failure() -> None:
    fault = ScriptError("ExecuteUserScriptError", [PY, "train.py", "a b"], 137)
    assert fault.text("C") == "ExecuteUserScriptError:\nCommand \"PYTHON train.py 'a b'\""
    assert fault.text("T").splitlines() == [
        "ExecuteUserScriptError:",
        "ExitCode 137",
        'ErrorMessage ""',
        'ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"',
        "Command \"PYTHON train.py 'a b'\"",
    ]
