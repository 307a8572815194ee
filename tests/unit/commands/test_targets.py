"""What names on the command line mean, and what is said of names that mean nothing."""

import json
from pathlib import Path

import pytest

from include.nacre.commands.catalog import Catalog, load_module
from include.nacre.commands.command import CommandError
from include.nacre.commands.rendering import listed
from include.nacre.commands.targets import Targets
from tests.unit.commands import greeting

MODULE = greeting.__name__
SAME = f"from {MODULE} import get_pipeline\n"
OTHER = """from include.nacre.definition.authoring import Fail, pipeline

def get_pipeline():
    return pipeline("Other", steps=[Fail("Stop", "no")])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A folder of pipelines, imported by a name that no other test uses."""
    package = f"pipelines_{abs(hash(tmp_path))}"
    monkeypatch.syspath_prepend(tmp_path)
    return Catalog(tmp_path / package, package)


def write(project: Catalog, folder: str, source: str) -> Path:
    file = project.root / folder / "pipeline.py"
    file.parent.mkdir(parents=True)
    file.write_text(source, encoding="utf-8")
    return file


def error_of(targets: Targets, *names: str) -> str:
    with pytest.raises(CommandError) as caught:
        targets.each(names)
    return str(caught.value)


def test_a_pipeline_is_every_folder_with_a_pipeline_file(project: Catalog) -> None:
    write(project, "greeting", SAME)
    write(project, "team/other", OTHER)
    (project.root / "notes").mkdir()
    (project.root / "pipeline.py").write_text("", encoding="utf-8")
    assert [entry.name for entry in project.entries()] == ["greeting", "team/other"]


@pytest.mark.parametrize(
    "name", ["greeting", "{root}/greeting", "{root}/greeting/pipeline.py", "Greeting", MODULE]
)
def test_a_pipeline_has_many_names(project: Catalog, name: str) -> None:
    write(project, "greeting", SAME)
    found = Targets(catalog=project).one(name.format(root=project.root))
    assert found == greeting.get_pipeline()


def test_a_definition_file_is_a_pipeline_of_the_files_name(tmp_path: Path) -> None:
    file = tmp_path / "exported.json"
    file.write_text(json.dumps(greeting.get_pipeline()), encoding="utf-8")
    found = Targets().one(str(file))
    assert (found.name, found) == ("exported", greeting.get_pipeline())


def test_a_name_is_found_beside_broken_pipelines(project: Catalog) -> None:
    write(project, "broken", "1 / 0")
    write(project, "greeting", SAME)
    assert Targets(catalog=project).one("Greeting").name == "Greeting"


def test_an_unknown_name_is_told_with_those_that_there_are(project: Catalog) -> None:
    write(project, "greeting", SAME)
    assert error_of(Targets(catalog=project), "greting") == (
        "there is no pipeline 'greting'. Did you mean \"greeting\"?"
    )


def test_all_wrong_names_are_told_at_once(project: Catalog, tmp_path: Path) -> None:
    write(project, "greeting", SAME)
    file = tmp_path / "bad.json"
    file.write_text('{"Version": "1", "Steps": 5}', encoding="utf-8")
    said = error_of(Targets(catalog=project), "greeting", "x", "no.such", str(file), "x.json")
    assert said.splitlines() == [
        "there is no pipeline 'x'. Known: greeting.",
        "there is no module no.such",
        f"{file}: Steps: must be a list, not the number 5",
        f'{file}: Version: unknown version "1" — Write "2020-12-01".',
        "x.json: cannot be read: No such file or directory",
    ]


BROKEN = {
    "def get_pipeline(:": "{file}:1: SyntaxError: invalid syntax (pipeline.py, line 1)",
    "import nothing_of_this_name": (
        "{file}:1: ModuleNotFoundError: No module named 'nothing_of_this_name'"
    ),
    "def get_pipeline():\n    return {}['role']": "{file}:2: KeyError: 'role'",
    "def get_pipeline():\n    raise SystemExit(0)": "{file}:2: SystemExit: 0",
    "get_pipeline = 5": "{module} has no get_pipeline(): write one, or name another",
    "def get_pipeline():\n    return {}": (
        "{module}.get_pipeline() returns a dict, no Pipeline: "
        "return what pipeline(...) or load_pipeline(...) gives"
    ),
}


@pytest.mark.parametrize("source", BROKEN)
def test_a_broken_pipeline_is_told_with_its_line(project: Catalog, source: str) -> None:
    file = write(project, "mine", source)
    expected = BROKEN[source].format(file=file, module=f"{project.package}.mine.pipeline")
    assert error_of(Targets(catalog=project), "mine") == expected


def test_every_fault_of_a_definition_is_told(project: Catalog) -> None:
    two = OTHER.replace('"Stop", "no"', '"Bad name", 5')
    file = write(project, "mine", two)
    assert error_of(Targets(catalog=project), "mine").splitlines() == [
        f"{file}:4: DefinitionError: the definition of pipeline 'Other' has 2 faults:",
        "  1. Steps[0].Arguments.ErrorMessage (Bad name): must be text, not the number 5",
        '  2. Steps[0].Name (Bad name): bad name "Bad name"',
        "     Use 1 to 64 letters, digits, hyphens and underscores.",
    ]


def test_what_is_given_must_be_taken(project: Catalog) -> None:
    write(project, "other", OTHER)
    given = {"bucket": "b", "region": "eu-west-1"}
    assert error_of(Targets(given, catalog=project), "other") == (
        f"{project.package}.other.pipeline.get_pipeline() takes no bucket, region: leave the "
        "option out, or let the function take it"
    )


def test_what_is_implied_need_not_be_taken(project: Catalog) -> None:
    write(project, "other", OTHER)
    assert Targets(implied={"region": "eu-west-1"}, catalog=project).one("other").name == "Other"


def test_what_is_given_wins_over_what_is_implied() -> None:
    made = load_module(MODULE, {"region": "us-west-2"}, {"region": "eu-west-1"})
    assert made == greeting.get_pipeline(region="us-west-2")


def test_the_list_has_good_ones_and_the_faults_of_broken_ones(project: Catalog) -> None:
    write(project, "broken", "1 / 0")
    write(project, "greeting", SAME)
    write(project, "other", OTHER)
    lines, faults = listed(Targets(catalog=project))
    assert lines == [
        "greeting: Greeting, 3 steps, Count, Word",
        "other: Other, 1 step, no parameters",
    ]
    assert faults == [
        f"broken: {project.root}/broken/pipeline.py:1: ZeroDivisionError: division by zero"
    ]


def test_a_project_without_pipelines_says_so(project: Catalog) -> None:
    with pytest.raises(CommandError, match=r"no folder below .* has a pipeline.py"):
        Targets(catalog=project).all()
