"""SageMaker pipelines in Airflow.

    from include.nacre.dag import PipelineDag, PipelineOperator, PipelineTaskGroup, load_pipeline

The four are imported when they are first asked for: the plan (`plan.py`, `show.py`) needs no
Airflow.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from include.nacre.dag.emit import (
        PipelineDag,
        PipelineOperator,
        PipelineTaskGroup,
        load_pipeline,
    )

__all__ = ["PipelineDag", "PipelineOperator", "PipelineTaskGroup", "load_pipeline"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from include.nacre.dag import emit

    return getattr(emit, name)
