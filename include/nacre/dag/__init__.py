"""SageMaker pipelines in Airflow.

    from include.nacre.dag import PipelineDag, PipelineOperator, PipelineTaskGroup, load_pipeline

The four are imported when they are first asked for: the plan (`plan.py`, `show.py`) needs no
Airflow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from include.nacre.dag.emit import PipelineDag, PipelineTaskGroup, load_pipeline
    from include.nacre.dag.pipeline_operator import PipelineOperator

__all__ = ["PipelineDag", "PipelineOperator", "PipelineTaskGroup", "load_pipeline"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "pipeline_operator" if name == "PipelineOperator" else "emit"
    return getattr(import_module(f"{__name__}.{module}"), name)
