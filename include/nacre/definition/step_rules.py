"""What one step type demands of its own keys and arguments, beyond their presence.

Requests to AWS are not looked into here, but where the language itself refers to a part of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from include.nacre.definition.expressions import IterationOutput
from include.nacre.definition.faults import did_you_mean, kind, shown
from include.nacre.definition.items import Item
from include.nacre.definition.read_values import UNREADABLE, is_expression
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
    _check_texts(step, item)
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


# The keys of the language, beside and inside the arguments, that hold text or a reference.
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "Fail": ("Arguments.ErrorMessage",),
    "Lambda": ("FunctionArn",),
    "Callback": ("SqsQueueUrl",),
    "ClarifyCheck": ("ModelPackageGroupName", "SuppliedBaselineConstraints", "ModelName"),
    "QualityCheck": (
        "ModelPackageGroupName",
        "SuppliedBaselineConstraints",
        "SuppliedBaselineStatistics",
    ),
    "EMR": ("Arguments.ClusterId", "Arguments.ExecutionRoleArn"),
    "EMRServerless": ("Arguments.ApplicationId", "Arguments.ExecutionRoleArn"),
    "Job": ("Arguments.JobConfigDocument",),
}


def _check_texts(step: Step, item: Item) -> None:
    for path in _TEXTS.get(step.type, ()):
        text = _literal(item.find(*path.split(".")))
        if text is not None and not (text.value is None and path in STEP_TYPES[step.type].keys):
            text.text()


def _literal(item: Item | None) -> Item | None:
    """Return an item that is there and is no expression."""
    return None if item is None or is_expression(item) else item


def _objects(item: Item | None) -> Iterator[Item]:
    """Yield the objects of a list."""
    for element in item.elements() if item is not None and isinstance(item.value, list) else ():
        if isinstance(element.value, dict):
            yield element


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
        flag = _literal(item.find(key))
        if flag is not None and not isinstance(flag.value, bool | None):
            flag.fault(f"must be true, false or a reference, not {kind(flag.value)}")


def _check_auto_ml(_: Step, item: Item) -> None:
    mode = _literal(item.find("Arguments", "AutoMLJobConfig", "Mode"))
    if mode is not None and mode.value != "ENSEMBLING":
        mode.fault(f"a pipeline runs AutoML in the mode ENSEMBLING only, not {shown(mode.value)}")


def _check_fail(_: Step, item: Item) -> None:
    message = item.find("Arguments", "ErrorMessage")
    if message is not None and isinstance(message.value, str):
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


_LINEAGE_NAMES = {
    "Actions": "ActionName",
    "Artifacts": "ArtifactName",
    "Contexts": "ContextName",
}


def _check_lineage(_: Step, item: Item) -> None:
    arguments = item.find("Arguments")
    for key, list_ in arguments.members().items() if arguments is not None else ():
        most = MOST_ASSOCIATIONS if key == "Associations" else MOST_LINEAGE_ENTITIES
        for element in list_.elements(at_most=most):
            element.members()
        _names(list_, _LINEAGE_NAMES.get(key, ""))
    for association in _objects(item.find("Arguments", "Associations")):
        _check_association(association)


def _check_association(item: Item) -> None:
    fields = item.fields({"Source": True, "Destination": True, "AssociationType": False})
    for key in ("Source", "Destination"):
        fields.read(key, _check_end, None)


def _check_end(end: Item) -> None:
    members = end.members()
    if members and set(members) not in ({"Arn"}, {"Name", "Type"}):
        end.fault("an end of an association is either an Arn, or a Name and a Type")


def _check_for_each(step: Step, item: Item) -> None:
    items = _literal(item.find("Arguments", "IterableItems"))
    if items is not None:
        _check_items(items)
    concurrency = _literal(item.find("Arguments", "MaxConcurrency"))
    if concurrency is not None:
        concurrency.whole_number(1, MOST_CONCURRENT_ITERATIONS)
    selector = item.find("Arguments", "Selector")
    if selector is not None and selector.value is not None:
        _check_selector(selector, step)
    body = item.find("Arguments", "ForEachBody")
    if body is not None and body.value == []:
        body.fault("needs at least one step")
    for inner in step.body_steps:
        if inner.type in ("Condition", "Fail", "ForEach"):
            item.reading.report(inner.place, f"a {inner.type} step cannot be in a ForEach body")


def _check_items(items: Item) -> None:
    if items.value == []:
        items.fault("needs at least one item")
    for element in filter(None, map(_literal, items.elements(at_most=MOST_ITEMS))):
        if isinstance(element.value, str):
            element.text(at_most=LONGEST_ITEM)
        elif not isinstance(element.value, bool | int | float):
            element.fault(f"must be a scalar or a reference, not {kind(element.value)}")


def _check_selector(selector: Item, step: Step) -> None:
    fields = selector.fields({"Pick": True, "Field": True})
    fields.read("Pick", lambda item: item.choice(("MaxBy", "MinBy")), None)
    read = step.arguments["Selector"]
    # What is an expression but could not be read has had its fault.
    field = read.get("Field") if isinstance(read, dict) else UNREADABLE
    if "Field" in fields and field is not UNREADABLE and not isinstance(field, IterationOutput):
        fields["Field"].fault("must be a reference IterationOutput.STEP.PROPERTY")


def _check_cleanup(_: Step, item: Item) -> None:
    resources = item.find("Arguments", "Resources")
    s3 = resources.fields({"S3": True}).get("S3") if resources is not None else None
    for resource in s3.elements() if s3 is not None else ():
        fields = resource.fields({"StepName": True, "S3Uris": False})
        fields.read("StepName", lambda item: item.text(empty=False), None)
        for uri in filter(None, map(_literal, fields.read("S3Uris", Item.elements, []))):
            uri.text()


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
}
