"""What one step type demands of its own keys and arguments, beyond their presence.

What is of a wrong JSON kind has been reported where it was read, and is passed over here.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from include.nacre.definition.expressions import IterationOutput
from include.nacre.definition.faults import did_you_mean, kind, shown
from include.nacre.definition.items import Item
from include.nacre.definition.read_values import UNREADABLE
from include.nacre.definition.records import Step
from include.nacre.definition.steptypes import STEP_TYPES, Retries

MOST_PROCESSING_INPUTS = 10
MOST_PROCESSING_OUTPUTS = 10
MOST_ITEMS = 100
LONGEST_ITEM = 12_800
MOST_CONCURRENT_ITERATIONS = 50
MOST_LINEAGE_ENTITIES = 5
MOST_ASSOCIATIONS = 10
LONGEST_ERROR_MESSAGE = 3072


def check_step(step: Step, item: Item) -> None:
    """Report what is wrong with a step by itself; `item` is its JSON."""
    _check_retries(step, item)
    _names(item.find("PropertyFiles"), "PropertyFileName")
    _names(item.find("OutputParameters"), "OutputName")
    if step.type in _RULES:
        _RULES[step.type](step, item)


def _check_retries(step: Step, item: Item) -> None:
    if STEP_TYPES[step.type].retries is not Retries.STEP_ERRORS:
        return
    for index, policy in enumerate(step.retry_policies):
        for name in policy.exception_types:
            if not name.startswith("Step."):
                item.at("RetryPolicies").at(index).fault(
                    f"a {step.type} step runs no job, so {shown(name)} never happens to it",
                    "Only Step.SERVICE_FAULT and Step.THROTTLING fit.",
                )


def _objects(item: Item | None) -> list[Item]:
    if item is None or not isinstance(item.value, list):
        return []
    return [element for element in item.elements() if isinstance(element.value, dict)]


def _names(item: Item | None, key: str) -> list[str]:
    """Return the names that the elements of a list have, and report those used twice."""
    named = [element.at(key) for element in _objects(item) if _is_name(element.value.get(key))]
    names = [element.value for element in named]
    counts = Counter(names)
    for element in named:
        if counts[element.value] > 1:
            element.fault(f"the name {shown(element.value)} is used {counts[element.value]} times")
    return names


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _limit(item: Item | None, most: int) -> None:
    if item is not None and isinstance(item.value, list):
        item.elements(at_most=most)


def _check_processing(_: Step, item: Item) -> None:
    inputs = item.find("Arguments", "ProcessingInputs")
    outputs = item.find("Arguments", "ProcessingOutputConfig", "Outputs")
    _limit(inputs, MOST_PROCESSING_INPUTS)
    _limit(outputs, MOST_PROCESSING_OUTPUTS)
    _names(inputs, "InputName")
    names = _names(outputs, "OutputName")
    for file in _objects(item.find("PropertyFiles")):
        name = file.value.get("OutputName")
        if _is_name(name) and name not in names:
            file.at("OutputName").fault(
                f"the job has no output {shown(name)}", did_you_mean(name, names)
            )


_CHECK_TYPES = {
    "ClarifyCheck": ("DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"),
    "QualityCheck": ("DATA_QUALITY", "MODEL_QUALITY"),
}
_CHECKS_OF_MODELS = ("MODEL_BIAS", "MODEL_EXPLAINABILITY")


def _check_quality(step: Step, item: Item) -> None:
    _check_processing(step, item)
    check = item.find("CheckType")
    if check is not None and check.value is not None:
        chosen = check.choice(_CHECK_TYPES[step.type])
        if chosen in _CHECKS_OF_MODELS and step.extra.get("ModelName") is None:
            check.fault(f'{chosen} needs the key "ModelName" on the step')
    for key in ("SkipCheck", "FailOnViolation", "RegisterNewBaseline"):
        value = _literal(item.find(key))
        if value is not None and not isinstance(value, bool):
            item.at(key).fault(f"must be true, false or a reference, not {kind(value)}")


def _literal(item: Item | None) -> object:
    """Return a literal, or None for what is absent or an expression."""
    return None if item is None or isinstance(item.value, dict) else item.value


def _check_auto_ml(_: Step, item: Item) -> None:
    mode = item.find("Arguments", "AutoMLJobConfig", "Mode")
    if mode is not None and _literal(mode) not in (None, "ENSEMBLING"):
        mode.fault(f"a pipeline runs AutoML in the mode ENSEMBLING only, not {shown(mode.value)}")


def _check_fail(_: Step, item: Item) -> None:
    message = item.find("Arguments", "ErrorMessage")
    if message is not None and not isinstance(message.value, dict):
        message.text(at_most=LONGEST_ERROR_MESSAGE)


def _check_emr(_: Step, item: Item) -> None:
    _check_either(item.find("Arguments"), "ClusterId", "ClusterConfig")


def _check_emr_serverless(_: Step, item: Item) -> None:
    _check_either(item.find("Arguments"), "ApplicationId", "ApplicationConfig")


def _check_either(arguments: Item | None, first: str, second: str) -> None:
    if arguments is None or not isinstance(arguments.value, dict):
        return
    given = [key for key in (first, second) if arguments.value.get(key)]
    if len(given) != 1:
        has = "both" if given else "neither"
        arguments.fault(f"needs either {first} or {second}, and has {has}")


_LINEAGE_ENTITIES = {
    "Actions": "ActionName",
    "Artifacts": "ArtifactName",
    "Contexts": "ContextName",
}


def _check_lineage(_: Step, item: Item) -> None:
    for key, name in _LINEAGE_ENTITIES.items():
        _limit(item.find("Arguments", key), MOST_LINEAGE_ENTITIES)
        _names(item.find("Arguments", key), name)
    associations = item.find("Arguments", "Associations")
    _limit(associations, MOST_ASSOCIATIONS)
    for association in _objects(associations):
        fields = association.fields({"Source": True, "Destination": True, "AssociationType": False})
        for key in ("Source", "Destination"):
            if key in fields:
                _check_end(fields[key])


def _check_end(end: Item) -> None:
    members = end.members()
    if members and set(members) not in ({"Arn"}, {"Name", "Type"}):
        end.fault("an end of an association is either an Arn, or a Name and a Type")


def _check_for_each(step: Step, item: Item) -> None:
    items = item.find("Arguments", "IterableItems")
    if items is not None and not isinstance(items.value, dict):
        _check_items(items)
    concurrency = item.find("Arguments", "MaxConcurrency")
    if concurrency is not None and not isinstance(concurrency.value, dict):
        concurrency.whole_number(1, MOST_CONCURRENT_ITERATIONS)
    selector = item.find("Arguments", "Selector")
    if selector is not None and selector.value is not None:
        _check_selector(selector, step)
    if not step.body_steps and (body := item.find("Arguments", "ForEachBody")):
        body.fault("needs at least one step")
    for inner in step.body_steps:
        if inner.type in ("Condition", "Fail", "ForEach"):
            item.reading.report(inner.place, f"a {inner.type} step cannot be in a ForEach body")


def _check_items(items: Item) -> None:
    if items.value == []:
        items.fault("needs at least one item")
    for element in items.elements(at_most=MOST_ITEMS):
        if element.value is None or isinstance(element.value, list):
            element.fault(f"must be a scalar or a reference, not {kind(element.value)}")
        elif isinstance(element.value, str):
            element.text(at_most=LONGEST_ITEM)


def _check_selector(selector: Item, step: Step) -> None:
    fields = selector.fields({"Pick": True, "Field": True})
    if "Pick" in fields:
        fields["Pick"].choice(("MaxBy", "MinBy"))
    read = step.arguments["Selector"]
    field = read.get("Field") if isinstance(read, dict) else UNREADABLE
    if "Field" in fields and field is not UNREADABLE and not isinstance(field, IterationOutput):
        fields["Field"].fault("must be a reference IterationOutput.STEP.PROPERTY")


def _check_cleanup(_: Step, item: Item) -> None:
    resources = item.find("Arguments", "Resources")
    s3 = resources.fields({"S3": True}).get("S3") if resources else None
    for resource in s3.elements() if s3 else ():
        fields = resource.fields({"StepName": True, "S3Uris": False})
        if "StepName" in fields:
            fields["StepName"].text(empty=False)
        if "S3Uris" in fields:
            fields["S3Uris"].elements()


def _check_job(_: Step, item: Item) -> None:
    document = item.find("Arguments", "JobConfigDocument")
    if document is not None and not isinstance(document.value, dict):
        document.text()


_RULES: Mapping[str, Callable[[Step, Item], None]] = {
    "Processing": _check_processing,
    "ClarifyCheck": _check_quality,
    "QualityCheck": _check_quality,
    "AutoML": _check_auto_ml,
    "Fail": _check_fail,
    "EMR": _check_emr,
    "EMRServerless": _check_emr_serverless,
    "Lineage": _check_lineage,
    "ForEach": _check_for_each,
    "Cleanup": _check_cleanup,
    "Job": _check_job,
}
