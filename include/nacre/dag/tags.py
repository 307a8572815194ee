"""The tags that say of a job which task of which run of which Airflow has started it.

A tag's value takes 256 letters, digits and few other characters, a run's id 250 characters of any
alphabet. So all that is not surely taken is escaped, byte by byte (`=E8=B2=9D`), and what gets too
long goes on in the next tag: `nacre:run_id`, `nacre:run_id.2`, ... What an execution was started
for stands in its description, for want of tags. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from urllib.parse import quote, unquote

from include.nacre.dag.identity import Generation, TaskKey, job_name
from include.nacre.definition.jobdefaults import OURS

LONGEST_VALUE = 256
LONGEST_DESCRIPTION = 3072
"""Characters of an execution's description."""

# What quote() leaves alone beside letters, digits, _ . and -; it takes ~ for safe, tags do not.
_SAFE = ":/+@"
_MARK = re.compile(rf"{OURS}(\w+)=(\S*)")


@dataclass(frozen=True)
class Origin:
    """What has started a job: a task instance, and the generation of its jobs."""

    key: TaskKey
    generation: Generation

    def has_made(self, name: str, limit: int) -> bool:
        """Say whether a job of that name is the one: a copy that somebody has made of it, tags and
        all, is not.
        """
        return _digest(name) == _digest(job_name(self.key, self.generation, "", limit))

    def __str__(self) -> str:
        key = self.key
        index = f"[{key.map_index}]" if key.map_index >= 0 else ""
        return f"DAG {key.dag_id}, run {key.run_id}, task {key.task_id}{index}"


def may_be_ours(name: str) -> bool:
    """Say whether a job's name has the form of ours."""
    return _OUR_NAME.fullmatch(name) is not None


_OUR_NAME = re.compile(r"[A-Za-z0-9-]+-[a-z2-7]{16}")


def tags_of(origin: Origin) -> dict[str, str]:
    """Return the tags of a job."""
    tags: dict[str, str] = {}
    for name, text in _fields(origin).items():
        parts = range(0, max(1, len(text)), LONGEST_VALUE)
        for number, start in enumerate(parts, 1):
            tags[_key(name, number)] = text[start : start + LONGEST_VALUE]
    return tags


def group_tags(key: TaskKey) -> dict[str, str]:
    """Return the tags of what several runs have in common: who has made it first."""
    made = tags_of(Origin(key, Generation(0, 0)))
    shared = tuple(f"{OURS}{name}" for name in ("installation", "dag_id"))
    return {name: value for name, value in made.items() if name.startswith(shared)}


def origin_of(tags: Mapping[str, str]) -> Origin | None:
    """Return what has started a job with these tags; None if they are not ours, or not whole."""
    return _origin({name: "".join(_parts(tags, name)) for name in _NAMES if _key(name, 1) in tags})


def described(description: str | None, origin: Origin) -> str | None:
    """Return an execution's description that tells where it comes from. The author's own stands
    before that; if both are too long it stands alone.
    """
    marks = " ".join(f"{OURS}{name}={text}" for name, text in _fields(origin).items())
    both = f"{description} {marks}" if description else marks
    return both if len(both) <= LONGEST_DESCRIPTION else description


def origin_in(description: str) -> Origin | None:
    """Return what an execution of that description was started for."""
    return _origin(dict(_MARK.findall(description)))


def _fields(origin: Origin) -> dict[str, str]:
    """Return what tells an origin, escaped; no value has a space in it."""
    key, (cleared, attempt) = origin.key, origin.generation
    return {
        "installation": _escaped(key.installation),
        "dag_id": _escaped(key.dag_id),
        "run_id": _escaped(key.run_id),
        "task_id": _escaped(key.task_id),
        "map_index": str(key.map_index),
        "generation": f"{cleared}.{attempt}",
    }


_NAMES = ("installation", "dag_id", "run_id", "task_id", "map_index", "generation")


def _origin(fields: Mapping[str, str]) -> Origin | None:
    if not fields.keys() >= {*_NAMES}:
        return None
    cleared, _, attempt = fields["generation"].partition(".")
    try:
        texts = [_unescaped(fields[name]) for name in _NAMES[:4]]
        key = TaskKey(texts[0], texts[1], texts[2], texts[3], int(fields["map_index"]))
        return Origin(key, Generation(int(cleared), int(attempt)))
    except ValueError:  # written by somebody else
        return None


def _key(name: str, number: int) -> str:
    return f"{OURS}{name}" if number == 1 else f"{OURS}{name}.{number}"


def _parts(tags: Mapping[str, str], name: str) -> Iterator[str]:
    for number in count(1):
        value = tags.get(_key(name, number))
        if value is None:
            return
        yield value


def _escaped(text: str) -> str:
    # quote() escapes "=", too: so it can take the place of "%", which tags may not have.
    quoted = quote(text.encode("utf-8", "surrogatepass"), safe=_SAFE)
    return quoted.replace("~", "%7E").replace("%", "=")


def _unescaped(text: str) -> str:
    return unquote(text.replace("=", "%"), errors="surrogatepass")


def _digest(name: str) -> str:
    return name.rpartition("-")[2]
