"""Which page is at which path, and what it shows; what users wrote is escaped (autoescape)."""

import functools
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

from include.nacre.local.api.models import model_description
from include.nacre.local.api.packages import GROUP, PACKAGE, group_description, package_description
from include.nacre.local.api.pipelines import pipeline_description
from include.nacre.local.cloudwatch.streams import Event, LogGroups, Stream
from include.nacre.local.console.facts import addresses_of, facts_of, moment, row_of
from include.nacre.local.console.pipelines import about_execution, about_pipeline, execution_facts
from include.nacre.local.jobrecord import KINDS, description
from include.nacre.local.jobs.logs import GROUPS
from include.nacre.local.objects import ObjectError, parse_s3_uri
from include.nacre.local.pipelines.records import EXECUTION, PIPELINE
from include.nacre.local.protocol.core import Reply
from include.nacre.local.store import Filter, Query, Resource
from include.nacre.local.world import World

if TYPE_CHECKING:
    from jinja2 import Environment

_TAIL, _WHOLE_LOG = 60, 20_000  # log lines on a job's page, and on the page of its logs alone
_HOME_ROWS, _LIST_ROWS, _OBJECT_ROWS = 10, 200, 1000
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Section:
    """One part of the console: a kind of resource; jobs have a log group.

    `about` gives what the page of such a resource, by a template of its own, shows besides.
    """

    title: str
    kind: str
    describe: Callable[[Resource], dict[str, Any]]
    log_group: str | None = None
    template: str = "resource.html"
    about: Callable[[World, Resource], dict[str, Any]] = lambda _world, _resource: {}


# By the word in the address, as in the console of the service.
SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "pipelines": Section(
            "Pipelines",
            PIPELINE,
            pipeline_description,
            template="pipeline.html",
            about=about_pipeline,
        ),
        "pipeline-executions": Section(
            "Pipeline executions",
            EXECUTION,
            execution_facts,
            template="execution.html",
            about=about_execution,
        ),
        **{
            f"{kind}-jobs": Section(
                f"{job.word} jobs", kind, description, f"/aws/sagemaker/{GROUPS[job.kind]}"
            )
            for kind, job in KINDS.items()
        },
        "models": Section("Models", "model", model_description),
        "model-packages": Section("Model packages", PACKAGE, package_description),
        "model-package-groups": Section("Model package groups", GROUP, group_description),
    }
)


class Console:
    """Pages about the resources of a world."""

    def __init__(self, world: World, groups: LogGroups, s3_endpoint: str) -> None:
        self._world = world
        self._groups = groups
        self._s3_endpoint = s3_endpoint

    def page(self, path: str, query: str) -> Reply:
        """The page at a path below /console; what does not exist is a page that says so."""
        word, _, rest = path.strip("/").partition("/")
        if not word:
            return self._home()
        if word == "logs":
            return self._logs(rest)
        if word == "objects":
            return self._objects(rest)
        if word not in SECTIONS:
            return _missing(path)
        return self._resource(word, rest) if rest else self._list(word, query)

    def _home(self) -> Reply:
        tables = [(word, part, self._rows(part, _HOME_ROWS)) for word, part in SECTIONS.items()]
        faults = self._world.faults.described()
        rules = list(zip(faults["rules"], faults["acted"], strict=True))
        return _rendered("home.html", tables=tables, place=self._world.place, rules=rules)

    def _list(self, word: str, query: str) -> Reply:
        contains = parse_qs(query).get("contains", [""])[0]
        rows = self._rows(SECTIONS[word], _LIST_ROWS, contains)
        return _rendered(
            "list.html", word=word, section=SECTIONS[word], rows=rows, contains=contains
        )

    def _rows(self, section: Section, limit: int, contains: str = "") -> list[dict[str, Any]]:
        filters = [Filter("name", "contains", contains)] if contains else []
        query = Query(section.kind, filters, descending=True, limit=limit)
        return [row_of(found, section.describe(found)) for found in self._world.store.find(query)]

    def _resource(self, word: str, name: str) -> Reply:
        section = SECTIONS[word]
        found = self._world.store.get(section.kind, name)
        if found is None:
            return _missing(f"/{word}/{name}")
        described = section.describe(found)
        return _rendered(
            section.template,
            word=word,
            section=section,
            row=row_of(found, described),
            facts=facts_of(described),
            links=[(what, uri, self._link(uri)) for what, uri in addresses_of(described)],
            transitions=described.get("SecondaryStatusTransitions", []),
            tags=self._world.store.tags(found.arn),
            body=json.dumps(found.request, indent=2, ensure_ascii=False),
            logs=[(s.name, list(_lines(s, _TAIL))) for s in self._streams(section, name)],
            **section.about(self._world, found),
        )

    def _logs(self, rest: str) -> Reply:
        word, _, name = rest.partition("/")
        section = SECTIONS.get(word) or SECTIONS.get(f"{word}-jobs")
        if section is None or self._world.store.get(section.kind, name) is None:
            return _missing(f"/logs/{rest}")
        text = "".join(
            f"==> {stream.name} <==\n" + "".join(f"{line}\n" for line in _lines(stream, _WHOLE_LOG))
            for stream in self._streams(section, name)
        )
        return Reply(200, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})

    def _streams(self, section: Section, name: str) -> list[Stream]:
        return self._groups.streams(section.log_group, f"{name}/") if section.log_group else []

    def _objects(self, rest: str) -> Reply:
        try:
            uri = parse_s3_uri(f"s3://{rest}")
        except ObjectError:
            return _missing(f"/objects/{rest}")
        found = itertools.islice(self._world.objects.list(uri), _OBJECT_ROWS)
        rows = [(item.uri.key, item.size, self._link(str(item.uri))) for item in found]
        return _rendered("objects.html", uri=str(uri), rows=rows, most=_OBJECT_ROWS)

    def _link(self, uri: str) -> str:
        """Where a person can see what an S3 address means: the object, or the prefix's list."""
        path = quote(uri.removeprefix("s3://"))
        try:
            is_object = self._world.objects.exists(uri)
        except ObjectError:
            is_object = False
        return f"{self._s3_endpoint}/{path}" if is_object else f"/console/objects/{path}"


def _page_of(resource: Resource) -> str:
    """The address of a resource's page."""
    word = next(word for word, section in SECTIONS.items() if section.kind == resource.kind)
    return f"/console/{word}/{quote(resource.name)}"


def _missing(path: str) -> Reply:
    return _rendered("missing.html", status=404, path=f"/console{path}")


def _lines(stream: Stream, most: int) -> Iterator[str]:
    """The newest lines, oldest first, each with its time of day."""
    newest = list(itertools.islice(stream.events_before(stream.size()), most))
    return (_line(event) for event in reversed(newest))


def _line(event: Event) -> str:
    return f"{moment(event.timestamp / 1000)}  {event.message}"


def _rendered(template: str, status: int = 200, **values: Any) -> Reply:
    text = _environment().get_template(template).render(sections=SECTIONS, **values)
    return Reply(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


@functools.cache
def _environment() -> "Environment":
    # Imported by the first page that a person looks at, not by every server.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["moment"] = moment
    environment.filters["page_of"] = _page_of
    return environment
