"""The last point of a step's life, at which no code of ours runs."""

import json
from typing import Any

from airflow.sdk.bases.xcom import BaseXCom

from include.nacre.dag.points import Point, reached


class MarkedXCom(BaseXCom):
    """Airflow's own XCom; a process that has pushed a result has come to `Point.PUSHED`."""

    @classmethod
    def set(cls, key: str, value: Any, **where: Any) -> None:  # type: ignore[override]
        """Push a value, as ever."""
        super().set(key, value, **where)
        if key == cls.XCOM_RETURN_KEY:
            reached(Point.PUSHED, json.dumps(value))
