"""Which pipeline a name on the command line means."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from include.nacre.commands.aws import implied_region
from include.nacre.commands.catalog import OURS, Catalog, Entry, load_module
from include.nacre.commands.command import CommandError
from include.nacre.commands.files import UnreadableFile, read_text
from include.nacre.commands.options import given_site
from include.nacre.definition.faults import DefinitionError, did_you_mean
from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.records import Pipeline

TARGET_HELP = (
    "a folder below include/pipelines (abalone), the pipeline's own name, a module with a "
    "get_pipeline(), a definition file (x.json)"
)


@dataclass(frozen=True)
class Targets:
    """The pipelines that names may mean, made for what the command line says of the site."""

    given: Mapping[str, str] = field(default_factory=dict)
    implied: Mapping[str, str] = field(default_factory=dict)
    catalog: Catalog = OURS

    def all(self) -> list[Pipeline]:
        """Return every pipeline of the project. Raises CommandError with all that are broken."""
        if not self.names():
            raise CommandError(f"no folder below {self.catalog.root} has a pipeline.py")
        return self.each(self.names())

    def each(self, names: Sequence[str]) -> list[Pipeline]:
        """Return the pipelines of names. Raises CommandError with all that is wrong."""
        found, faults = [], []
        for name in dict.fromkeys(names):
            try:
                found.append(self.one(name))
            except CommandError as error:
                faults.append(str(error))
        if faults:
            raise CommandError("\n".join(faults))
        return found

    def one(self, name: str) -> Pipeline:
        """Return the pipeline that a name means; CommandError if it means none, or a broken one."""
        pipeline = self.find(name)
        if pipeline is None:
            raise CommandError(self.unknown(name))
        return pipeline

    def find(self, name: str) -> Pipeline | None:
        """Return the pipeline that a name means, if it means one."""
        if entry := self._entry(name):
            return self._load(entry.module)
        if name.endswith(".json"):
            return _from_file(Path(name))
        if _is_module(name):
            return self._load(name)
        return self._named(name)

    def unknown(self, name: str) -> str:
        """Say that a name means nothing, and what there is."""
        return f"there is no pipeline {name!r}. {did_you_mean(name, self.names())}".rstrip()

    def names(self) -> list[str]:
        """Return the names of the project's pipelines: their folders."""
        return [entry.name for entry in self.catalog.entries()]

    def _entry(self, name: str) -> Entry | None:
        """Return the entry of a folder's name, or of the path of its folder or its file."""
        path = Path(name).resolve()
        folder = path.parent if path.name == "pipeline.py" else path
        root = self.catalog.root.resolve()
        meant = (e for e in self.catalog.entries() if name == e.name or folder == root / e.name)
        return next(meant, None)

    def _named(self, name: str) -> Pipeline | None:
        """Return the pipeline whose own name it is: all that load have to be made to find it."""
        for entry in self.catalog.entries():
            try:
                pipeline = self._load(entry.module)
            except CommandError:
                continue  # it is broken, and not what was asked for
            if pipeline.name == name:
                return pipeline
        return None

    def _load(self, module: str) -> Pipeline:
        return load_module(module, self.given, self.implied)


def targets(options: argparse.Namespace) -> Targets:
    """Return what names mean, for the site that the options and boto3's settings say."""
    given = given_site(options)
    return Targets(given, {} if "region" in given else implied_region())


def _is_module(name: str) -> bool:
    parts = name.split(".")
    return len(parts) > 1 and all(part.isidentifier() for part in parts)


def _from_file(file: Path) -> Pipeline:
    try:
        return read_pipeline(read_text(file), file.stem)
    except UnreadableFile as error:
        raise CommandError(f"{file}: {error}") from None
    except DefinitionError as error:
        raise CommandError("\n".join(f"{file}: {fault}" for fault in error.faults)) from None
