"""Executions of pipelines, as the local SageMaker runs them.

How the API's operations use this package:

- A version is a row of kind `records.VERSION`, named `<pipeline>/<number>`, whose request
  is `{"PipelineName", "PipelineVersionId", "PipelineDefinition": text}`. The executor reads
  nothing else of a pipeline.
- Start: add the row that `records.new_execution(...)` gives (kind `records.EXECUTION`, named by
  the execution's id: `naming.new_execution_id()`), then `world.pipelines.submitted(id)`.
  A selective execution starts with `selection.reused(course, selected, source)`, where `course` is
  `Course.of(pipeline)` and `source` is `execution_of(row)`; SelectionError holds the faults.
- Stop: `store.update(EXECUTION, id, records.changing(execution.stop_asked, now))`, then
  `world.pipelines.stop(id)`. Retry: the same with `execution.retried`, then `submitted(id)`.
  Both raise IllegalMove where the execution's status does not allow it.
- A Callback step: `row = callbacks.succeeded(store, token, outputs, now)` or `failed`, then
  `submitted(row.name)`. UnknownToken and IllegalMove say that there is nothing to answer.
- Everything that is known of an execution: `records.execution_of(row)`; its `steps` in the order in
  which they began, each with `metadata` as `ListPipelineExecutionSteps` has it.

Reading: `execution.py` and `course.py` (pure: what happens next), `driver.py` (makes it happen),
`executor.py` (the thread that is woken by events).
"""
