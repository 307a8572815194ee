"""What the events of a task's assets say: the facts of the job that made them."""

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk import Asset
from airflow.sdk.definitions.asset import AssetRef

from include.nacre.definition.expressions import Json


def tell_outlets(outlets: Iterable[Any], events: Any, result: Mapping[str, Json]) -> None:
    """Give the events of assets among a task's outlets its XCom result as their extra, unless
    they were given another. `events` are the context's `outlet_events`. An alias stands for assets
    that only the author knows.
    """
    for outlet in outlets:
        if isinstance(outlet, Asset | AssetRef):
            event = events[outlet]
            event.extra = event.extra or dict(result)
