"""Who may import whom: the design's rule, held over every file of the product."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.airflow_env import ROOT

ROOMS = {
    # room: (its files, what of ours it may import, what it may not import at all)
    "definition": (
        "include/nacre/definition/**/*.py",
        ("include.nacre.definition",),
        ("airflow", "boto3", "botocore", "os", "io", "pathlib", "socket", "subprocess", "urllib"),
    ),
    "native": (
        "include/nacre/native/**/*.py",
        ("include.nacre.definition", "include.nacre.native"),
        ("airflow",),
    ),
    "registry": (
        "include/nacre/registry/**/*.py",
        ("include.nacre.definition", "include.nacre.registry"),
        ("airflow", "boto3"),
    ),
    "dag": (
        "include/nacre/dag/**/*.py",
        (
            "include.nacre.definition",
            "include.nacre.native",
            "include.nacre.registry",
            "include.nacre.dag",
        ),
        (),
    ),
    "local": (
        "include/nacre/local/**/*.py",
        ("include.nacre.definition", "include.nacre.local"),
        ("airflow",),
    ),
    "pipelines": (
        "include/pipelines/**/*.py",
        ("include.nacre.definition", "include.pipelines"),
        ("airflow", "boto3"),
    ),
    "dags": (
        "dags/**/*.py",
        ("include.nacre.dag", "include.nacre.registry", "include.pipelines"),
        (),
    ),
    "commands": (
        "include/nacre/commands/**/*.py",
        (
            "include.nacre.definition",
            "include.nacre.native",
            "include.nacre.dag",
            "include.nacre.commands",
            "include.nacre.check",
        ),
        (),
    ),
    "plugins": ("plugins/**/*.py", ("include.nacre.dag",), ()),
}
# What defines a pipeline or its data's place; any other file of a problem runs in a container.
DEFINING = (
    "__init__.py",
    "batches.py",
    "comparison.py",
    "drift.py",
    "landing.py",
    "layout.py",
    "origin.py",
    "partitions.py",
    "pipeline.py",
    "scoring.py",
    "validate.py",
)
OURS = ("include", "scripts", "tests", "dags", "plugins")


def imported(source: str) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def below(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def above(module: str, packages: tuple[str, ...]) -> bool:
    """`from include.nacre import definition` names the package above first."""
    return any(package.startswith(f"{module}.") for package in packages)


def faults(source: str, allowed: tuple[str, ...], forbidden: tuple[str, ...]) -> list[str]:
    return [
        module
        for module in imported(source)
        if below(module, forbidden)
        or (below(module, OURS) and not below(module, allowed) and not above(module, allowed))
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    pattern, allowed, forbidden = ROOMS[room]
    files = sorted(ROOT.glob(pattern))
    assert files, f"no files match {pattern}"
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in files
        if (wrong := faults(path.read_text(encoding="utf-8"), allowed, forbidden))
    }
    assert found == {}


def job_scripts() -> list[Path]:
    """What runs inside SageMaker's containers: every file of a pipeline that does not define it."""
    return [
        path for path in sorted(ROOT.glob("include/pipelines/*/*.py")) if path.name not in DEFINING
    ]


def test_job_scripts_import_nothing_of_ours() -> None:
    scripts = job_scripts()
    assert scripts
    found = {path.name: faults(path.read_text(encoding="utf-8"), (), ()) for path in scripts}
    assert found == {path.name: [] for path in scripts}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import include.nacre.local.store", ["include.nacre.local.store"]),
        ("from include.nacre import local", ["include.nacre.local"]),
        ("def f():\n    from airflow.sdk import DAG", ["airflow.sdk", "airflow.sdk.DAG"]),
        ("from include.nacre.definition import records", []),
        ("import json, graphlib", []),
    ],
)
def test_the_rule_itself_finds_what_is_forbidden(source: str, expected: list[str]) -> None:
    assert faults(source, ("include.nacre.definition",), ("airflow",)) == expected
