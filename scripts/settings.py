"""airflow_settings.yaml, the file that the Astro CLI reads too: connections, pools, variables.

The layout is Astro's: `airflow: {connections: [...], pools: [...], variables: [...]}`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class SettingsError(Exception):
    """The settings file cannot be used; the message lists every fault of the file."""


@dataclass(frozen=True)
class Connection:
    """One connection, in the words of Airflow's Connection model."""

    conn_id: str
    conn_type: str
    host: str | None
    schema: str | None
    login: str | None
    password: str | None
    port: int | None
    extra: Mapping[str, Any]


@dataclass(frozen=True)
class Pool:
    name: str
    slots: int
    description: str
    #: Whether a deferred task keeps its slot: so it must where the slot stands for a running job.
    include_deferred: bool


@dataclass(frozen=True)
class Variable:
    key: str
    value: str


@dataclass(frozen=True)
class LocalPorts:
    """The loopback ports at which a connection expects the local SageMaker and its S3."""

    host: str
    api: int
    s3: int


@dataclass(frozen=True)
class Settings:
    connections: tuple[Connection, ...]
    pools: tuple[Pool, ...]
    variables: tuple[Variable, ...]

    def local_ports(self, conn_id: str = "aws_default") -> LocalPorts | None:
        """Where `conn_id` looks for the local SageMaker; None if it points at AWS itself."""
        for connection in self.connections:
            if connection.conn_id == conn_id:
                return _local_ports(connection.extra)
        return None


def read_settings(path: Path) -> Settings:
    """Read the file at `path`; raises SettingsError with all that is wrong in it."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error
    return parse_settings(document, str(path))


def parse_settings(document: object, source: str) -> Settings:
    """Settings from the parsed YAML `document`; `source` names the file in the fault report."""
    faults: list[str] = []
    top = document.get("airflow") if isinstance(document, Mapping) else None
    if not isinstance(top, Mapping):
        raise SettingsError(
            f"{source}: wants one key at the top, `airflow`, with a mapping below it"
        )
    settings = Settings(
        connections=tuple(_connections(_entries(top, "connections", "conn_id", faults), faults)),
        pools=tuple(_pools(_entries(top, "pools", "pool_name", faults), faults)),
        variables=tuple(
            Variable(str(entry["variable_name"]), _text(entry.get("variable_value")) or "")
            for entry in _entries(top, "variables", "variable_name", faults)
        ),
    )
    if faults:
        raise SettingsError("\n".join(f"{source}: {fault}" for fault in faults))
    return settings


def _entries(
    top: Mapping[str, Any], section: str, name_key: str, faults: list[str]
) -> Iterator[Mapping[str, Any]]:
    entries = top.get(section) or []
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        faults.append(f"airflow.{section} wants a list")
        return
    for index, entry in enumerate(entries):
        if isinstance(entry, Mapping) and entry.get(name_key):
            yield entry
        # The Astro CLI's own template holds one empty entry a section: nothing is meant by it.
        elif not isinstance(entry, Mapping) or any(_is_set(value) for value in entry.values()):
            faults.append(f"airflow.{section}[{index}] has no {name_key}")


def _is_set(value: object) -> bool:
    return value not in (None, "", {}) and value != {"example_extra_field": "example-value"}


def _connections(entries: Iterator[Mapping[str, Any]], faults: list[str]) -> Iterator[Connection]:
    for entry in entries:
        name = str(entry["conn_id"])
        if not entry.get("conn_type"):
            faults.append(f"connection {name} has no conn_type")
        yield Connection(
            conn_id=name,
            conn_type=str(entry.get("conn_type")),
            host=_text(entry.get("conn_host")),
            schema=_text(entry.get("conn_schema")),
            login=_text(entry.get("conn_login")),
            password=_text(entry.get("conn_password")),
            port=_integer(entry.get("conn_port"), f"connection {name}: conn_port", faults),
            extra=_extra(entry.get("conn_extra"), f"connection {name}: conn_extra", faults),
        )


def _pools(entries: Iterator[Mapping[str, Any]], faults: list[str]) -> Iterator[Pool]:
    for entry in entries:
        name = str(entry["pool_name"])
        slots = _integer(entry.get("pool_slot"), f"pool {name}: pool_slot", faults)
        if slots is None:
            faults.append(f"pool {name} has no pool_slot")
        description = _text(entry.get("pool_description")) or ""
        yield Pool(name, slots or 0, description, bool(entry.get("pool_include_deferred")))


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _integer(value: object, place: str, faults: list[str]) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(str(value))
    except ValueError:
        faults.append(f"{place} is {value!r}, wants a whole number")
        return None


def _extra(value: object, place: str, faults: list[str]) -> Mapping[str, Any]:
    """The Astro CLI takes the extra as a mapping or as JSON text."""
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            faults.append(f"{place} is text that is not JSON: {error}")
            return {}
    if value in (None, ""):
        return {}
    if not isinstance(value, Mapping):
        faults.append(f"{place} wants a mapping")
        return {}
    return value


def _local_ports(extra: Mapping[str, Any]) -> LocalPorts | None:
    services = extra.get("service_config") or {}
    api = urlsplit(str(extra.get("endpoint_url") or ""))
    s3 = urlsplit(str((services.get("s3") or {}).get("endpoint_url") or ""))
    if api.hostname not in LOOPBACK or api.port is None or s3.port is None:
        return None
    return LocalPorts(host=str(api.hostname), api=api.port, s3=s3.port)
