"""What the local SageMaker remembers: one SQLite file, shared by the server and its supervisors.

Write-ahead log with synchronous=NORMAL: a commit is in the kernel's hands before it is answered,
so it survives the death of any of our processes (`kill -9` included). FULL would add an fsync a
commit, which only guards against losing power, at the price of a tenth of every short job.
"""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE resources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of creation
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    arn TEXT NOT NULL,
    status TEXT NOT NULL,
    created REAL NOT NULL,                 -- seconds since the epoch
    modified REAL NOT NULL,
    request TEXT NOT NULL,                 -- the Create call's body, as JSON
    state TEXT NOT NULL,                   -- what has become of it since, as JSON
    UNIQUE (kind, name)
);
CREATE UNIQUE INDEX resources_by_arn ON resources (arn);
CREATE INDEX resources_by_creation ON resources (kind, created, id);
CREATE INDEX resources_by_status ON resources (kind, status, created, id);
CREATE TABLE tags (
    arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key)
) WITHOUT ROWID;
CREATE TABLE tokens (
    operation TEXT NOT NULL, token TEXT NOT NULL, request TEXT NOT NULL, arn TEXT NOT NULL,
    PRIMARY KEY (operation, token)
) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE supervisors (
    kind TEXT NOT NULL, name TEXT NOT NULL, pid INTEGER NOT NULL, started INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
"""

Column = Literal["name", "arn", "status", "created", "modified", "id"]
Comparison = Literal["=", "<", ">", "contains", "starts with", "is", "is not"]
_COMPARISONS: Mapping[Comparison, str] = {
    "=": "{0} = ?",
    "<": "{0} < ?",
    ">": "{0} > ?",
    "contains": "instr({0}, ?) > 0",
    "starts with": "instr({0}, ?) = 1",
    "is": "{0} IS ?",
    "is not": "{0} IS NOT ?",
}


class Exists(Exception):  # noqa: N818 - says what is the case
    """The name is taken, by the resource given."""

    def __init__(self, resource: "Resource") -> None:
        super().__init__(resource.arn)
        self.resource = resource


class StoreError(Exception):
    """The store's file cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Resource:
    """Anything that has a name and an ARN. `request` never changes, `state` does."""

    kind: str
    name: str
    arn: str
    status: str
    created: float
    modified: float
    request: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True)
class Filter:
    """`column comparison value`; a column is one of the table's, or a member of `state`."""

    column: str
    comparison: Comparison
    value: Any


@dataclass(frozen=True)
class Query:
    """One page of resources: of a kind, filtered, in an order, from behind a place in it."""

    kind: str
    filters: Sequence[Filter] = ()
    order: Column = "created"
    descending: bool = False
    limit: int = 100
    after: tuple[Any, int] | None = None  # (the order column's value, id) of the last one seen


Changed = Callable[[Resource | None, Resource], None]


def _nobody(_before: Resource | None, _after: Resource) -> None:
    """Nobody wants to know."""


class Store:
    """The resources, their tags, and who supervises which job. For any number of threads.

    `changed` hears of each new resource, and each change of a status, that this process has
    committed, in their order: (before, after).
    """

    def __init__(self, path: Path, changed: Changed = _nobody) -> None:
        self.changed = changed
        self._changes: list[tuple[Resource | None, Resource]] = []
        # One connection behind a lock: no call holds it for longer than a few hundred
        # microseconds, and nothing has to be closed per thread.
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                path, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._migrate(path)
        except sqlite3.DatabaseError as fault:
            raise StoreError(
                f"{path} is no file of the local SageMaker ({fault}): start with another --state"
                " folder, or remove that file"
            ) from fault

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens at once or not at all, seen from every process."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._changes.clear()
                if self._db.in_transaction:  # a full disk has ended it already
                    self._db.execute("ROLLBACK")
                raise
            changes, self._changes = self._changes, []
            self._db.execute("COMMIT")
            for change in changes:
                self.changed(*change)

    def add(self, resource: Resource, tags: Mapping[str, str] | None = None) -> None:
        """Remember a new resource, or raise Exists with the one that has its ARN.

        ARNs are in lower case: names that differ in case alone are one name, as on the service.
        """
        with self.transaction():
            taken = self.by_arn(resource.arn)
            if taken:
                raise Exists(taken)
            self._run(
                "INSERT INTO resources (kind, name, arn, status, created, modified, request, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                *(resource.kind, resource.name, resource.arn, resource.status),
                *(resource.created, resource.modified),
                *(json.dumps(resource.request), json.dumps(resource.state)),
            )
            self.tag(resource.arn, tags or {})
            self._changes.append((None, resource))

    def get(self, kind: str, name: str) -> Resource | None:
        """The resource of that kind and name, if there is one."""
        return self._one("SELECT * FROM resources WHERE kind = ? AND name = ?", kind, name)

    def by_arn(self, arn: str) -> Resource | None:
        """The resource that an ARN means, if there is one."""
        return self._one("SELECT * FROM resources WHERE arn = ?", arn)

    def update(self, kind: str, name: str, change: Callable[[Resource], Resource]) -> Resource:
        """Replace status, state and time of change by what a pure function makes of them."""
        with self.transaction():
            before = self.get(kind, name)
            if before is None:
                raise KeyError((kind, name))
            after = change(before)
            if after != before:
                self._run(
                    "UPDATE resources SET status = ?, modified = ?, state = ?"
                    " WHERE kind = ? AND name = ?",
                    *(after.status, after.modified, json.dumps(after.state), kind, name),
                )
            if after.status != before.status:
                self._changes.append((before, after))
            return after

    def delete(self, kind: str, name: str) -> None:
        """Forget a resource and its tags."""
        with self.transaction():
            self._run(
                "DELETE FROM tags WHERE arn IN"
                " (SELECT arn FROM resources WHERE kind = ? AND name = ?)",
                *(kind, name),
            )
            self._run("DELETE FROM resources WHERE kind = ? AND name = ?", kind, name)

    def find(self, query: Query) -> list[Resource]:
        """The resources of one page, in their order."""
        texts: list[str] = ["kind = ?"]
        values: list[Any] = [query.kind]
        for item in query.filters:
            column = _column(item.column)
            texts.append(_COMPARISONS[item.comparison].format(column))
            values.append(item.value)
        if query.after is not None:
            texts.append(f"({query.order}, id) {'<' if query.descending else '>'} (?, ?)")
            values.extend(query.after)
        way = "DESC" if query.descending else "ASC"
        return self._many(
            f"SELECT * FROM resources WHERE {' AND '.join(texts)}"  # noqa: S608 - our own columns
            f" ORDER BY {query.order} {way}, id {way} LIMIT ?",
            *(*values, query.limit),
        )

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags; a key that is there takes the new value."""
        with self.transaction():
            for key, value in tags.items():
                self._run("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", arn, key, value)

    def untag(self, arn: str, keys: Sequence[str]) -> None:
        """Remove tags; keys that are not there do not matter."""
        with self.transaction():
            for key in keys:
                self._run("DELETE FROM tags WHERE arn = ? AND key = ?", arn, key)

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of a resource, by key."""
        with self._lock:
            return dict(self._run("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", arn))

    def token(self, operation: str, token: str) -> tuple[str, str] | None:
        """What a client token was used for before: (request as JSON, ARN of the result)."""
        with self._lock:
            row = self._run(
                "SELECT request, arn FROM tokens WHERE operation = ? AND token = ?",
                *(operation, token),
            ).fetchone()
        return (row[0], row[1]) if row else None

    def use_token(self, operation: str, token: str, request: str, arn: str) -> None:
        """Remember what a client token was used for last."""
        with self.transaction():
            self._run(
                "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?)", operation, token, request, arn
            )

    def count_up(self, counter: str) -> int:
        """The counter's next number: 1, 2, 3 ..., none of them twice."""
        with self.transaction():
            row = self._run(
                "INSERT INTO counters VALUES (?, 1)"
                " ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last",
                counter,
            ).fetchone()
        return int(row[0])

    def claim(self, kind: str, name: str, pid: int, started: int) -> bool:
        """Make a process the job's one supervisor; False if it has one already."""
        with self.transaction():
            return bool(
                self._run(
                    "INSERT OR IGNORE INTO supervisors VALUES (?, ?, ?, ?)",
                    *(kind, name, pid, started),
                ).rowcount
            )

    def release(self, kind: str, name: str) -> None:
        """The job has no supervisor any more."""
        with self.transaction():
            self._run("DELETE FROM supervisors WHERE kind = ? AND name = ?", kind, name)

    def supervisor(self, kind: str, name: str) -> tuple[int, int] | None:
        """The job's supervisor as (process id, when that process started)."""
        with self._lock:
            row = self._run(
                "SELECT pid, started FROM supervisors WHERE kind = ? AND name = ?", kind, name
            ).fetchone()
        return (row[0], row[1]) if row else None

    def unfinished(self, kinds: Sequence[str], statuses: Sequence[str]) -> list[Resource]:
        """Every resource of these kinds that has one of these statuses, oldest first."""
        marks = [", ".join("?" * len(words)) for words in (kinds, statuses)]
        return self._many(
            f"SELECT * FROM resources WHERE kind IN ({marks[0]}) AND status IN ({marks[1]})"  # noqa: S608 - question marks
            " ORDER BY id",
            *(*kinds, *statuses),
        )

    def _migrate(self, path: Path) -> None:
        if self._version() == 0:  # looked at first: a supervisor need not wait to write
            with self.transaction():
                self._create()
        version = self._version()
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"{path} was written by another version of the local SageMaker (its schema is"
                f" {version}, this one's {SCHEMA_VERSION}): start with another --state folder,"
                " or remove that one"
            )

    def _create(self) -> None:
        if self._version() == 0:
            for statement in _SCHEMA.split(";"):
                self._run(statement)
            self._run(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _version(self) -> int:
        return int(self._run("PRAGMA user_version").fetchone()[0])

    def _run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._db.execute(sql, values)

    def _many(self, sql: str, *values: Any) -> list[Resource]:
        with self._lock:
            return [_resource(row) for row in self._run(sql, *values)]

    def _one(self, sql: str, *values: Any) -> Resource | None:
        found = self._many(sql, *values)
        return found[0] if found else None


def _resource(row: tuple[Any, ...]) -> Resource:
    number, kind, name, arn, status, created, modified, request, state = row
    return Resource(
        kind, name, arn, status, created, modified, json.loads(request), json.loads(state), number
    )


def _column(name: str) -> str:
    if name in {"name", "status", "created", "modified", "arn"}:
        return name
    if not name.isidentifier():
        raise ValueError(name)
    return f"json_extract(state, '$.{name}')"
