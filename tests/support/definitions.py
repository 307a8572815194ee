"""Definitions for tests: the SDK's own, and hypothesis strategies for valid and broken ones."""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from include.nacre.definition.faults import DefinitionError
from include.nacre.definition.reader import read_pipeline
from include.nacre.definition.steptypes import STEP_TYPES, Retries

FIXTURES = Path(__file__).parent.parent / "fixtures" / "definitions"
SDK_DEFINITIONS = tuple(sorted(path.stem for path in FIXTURES.glob("*.json")))

Json = Any


def sdk_text(name: str) -> str:
    """Return the text of a definition that the SageMaker SDK wrote."""
    return (FIXTURES / f"{name}.json").read_text(encoding="utf-8")


def sdk_definition(name: str) -> Json:
    """Return a definition that the SageMaker SDK wrote, parsed."""
    return json.loads(sdk_text(name))


# Arbitrary JSON.

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
whole_numbers = st.integers(-(2**63), 2**63 - 1)
numbers = whole_numbers | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.booleans() | numbers | texts
json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)
words = st.from_regex(r"[a-z]{1,8}", fullmatch=True)


# Valid definitions.

# A property of each step type that can be referred to, with the kind of its value.
PROPERTIES: dict[str, list[tuple[str, str]]] = {
    "Processing": [
        ("ProcessingJobArn", "text"),
        ("ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri", "text"),
        ("ProcessingResources.ClusterConfig.InstanceCount", "number"),
    ],
    "Training": [
        ("ModelArtifacts.S3ModelArtifacts", "text"),
        ("FinalMetricDataList['val:auc'].Value", "number"),
        ("HyperParameters['eta']", "text"),
        ("SecondaryStatusTransitions[0].Status", "text"),
        ("EnableNetworkIsolation", "boolean"),
    ],
    "Tuning": [
        ("BestTrainingJob.TrainingJobName", "text"),
        ("TrainingJobSummaries[0].FinalHyperParameterTuningJobObjectiveMetric.Value", "number"),
    ],
    "Transform": [("TransformOutput.S3OutputPath", "text")],
    "AutoML": [("BestCandidateProperties.ModelInsightsJsonReportPath", "text")],
    "Model": [("ModelName", "text")],
    "RegisterModel": [("ModelPackageArn", "text"), ("ModelPackageVersion", "number")],
    "Condition": [("Outcome", "text")],
    "Lambda": [("OutputParameters['score']", "number"), ("OutputParameters['ok']", "boolean")],
    "Callback": [("OutputParameters['score']", "number")],
    "ClarifyCheck": [("CalculatedBaselineConstraints", "text")],
    "QualityCheck": [("BaselineUsedForDriftCheckStatistics", "text")],
    "EMR": [("Status.State", "text"), ("ClusterId", "text")],
    "EMRServerless": [("jobRun.state", "text")],
    "EndpointConfig": [("EndpointConfigName", "text")],
    "Endpoint": [("EndpointArn", "text")],
    "InferenceComponent": [("InferenceComponentStatus", "text")],
    "Lineage": [("ArtifactArns['data']", "text")],
    "Job": [("JobConfigDocument.any.thing[0]", "any")],
    "ForEach": [("Status", "text"), ("SucceededStepCount", "number")],
}

_OUTPUTS = [
    {"OutputName": "score", "OutputType": "Float"},
    {"OutputName": "ok", "OutputType": "Boolean"},
]
_PROCESSING = {
    "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out"}, {"OutputName": "other"}]}
}
_CHECK = {"SkipCheck": False, "ModelPackageGroupName": None, "SuppliedBaselineConstraints": None}

# What a step type must have, beside and inside its arguments.
SKELETONS: dict[str, tuple[Json, Json]] = {
    "Processing": (
        {"PropertyFiles": [{"PropertyFileName": "f", "OutputName": "out", "FilePath": "f.json"}]},
        _PROCESSING,
    ),
    "Training": ({}, {"HyperParameters": {"eta": "1"}}),
    "Tuning": ({}, {}),
    "Transform": ({}, {}),
    "AutoML": ({}, {"AutoMLJobConfig": {"Mode": "ENSEMBLING"}}),
    "Model": ({}, {}),
    "RegisterModel": ({}, {"ModelApprovalStatus": "Approved"}),
    "Fail": ({}, {"ErrorMessage": "no"}),
    "Lambda": ({"FunctionArn": "arn:f", "OutputParameters": _OUTPUTS}, {}),
    "Callback": ({"SqsQueueUrl": "https://q", "OutputParameters": _OUTPUTS}, {}),
    "ClarifyCheck": ({"CheckType": "DATA_BIAS", **_CHECK}, _PROCESSING),
    "QualityCheck": ({"CheckType": "DATA_QUALITY", **_CHECK}, _PROCESSING),
    "EMR": ({}, {"StepConfig": {"HadoopJarStep": {"Jar": "x.jar"}}, "ClusterId": "j-1"}),
    "EMRServerless": ({}, {"ExecutionRoleArn": "r", "JobConfig": {}, "ApplicationId": "a"}),
    "EndpointConfig": ({}, {"EndpointConfigName": "c"}),
    "Endpoint": ({}, {"EndpointName": "e"}),
    "InferenceComponent": ({}, {"InferenceComponentName": "i"}),
    "Lineage": ({}, {"Artifacts": [{"ArtifactName": "data"}]}),
    "Job": ({}, {"JobConfigDocument": "{}"}),
    "Cleanup": ({}, {"Resources": {"S3": []}}),
}
# Their arguments have exactly the keys of the language: nothing may be added.
CLOSED_TYPES = ("Fail", "EMR", "EMRServerless", "Lineage", "Cleanup", "Condition", "ForEach")
BODY_TYPES = tuple(sorted(SKELETONS.keys() - {"Fail"}))

_RETRY = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 1, "MaxAttempts": 3}
_PARAMETER_TYPES = {"String": texts, "Boolean": st.booleans(), "Float": numbers}
_KIND_OF_TYPE = {"String": "text", "Integer": "number", "Float": "number", "Boolean": "boolean"}


class Author:
    """Writes one definition from drawn choices; references point to what was written before."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.taken: set[str] = set()
        self.parameters: list[Json] = []
        self.visible: list[Json] = []

    def definition(self) -> Json:
        definition: Json = {"Version": "2020-12-01"}
        if self.chance():
            definition["Metadata"] = self.draw(st.dictionaries(words, texts, max_size=2))
        if self.chance():
            for _ in range(self.choose([2, 1, 3, 4, 0])):
                self.parameters.append(self.parameter())
            definition["Parameters"] = self.parameters
        if self.chance():
            definition["PipelineExperimentConfig"] = self.experiment()
        if self.chance():
            definition["MlflowConfig"] = None
        definition["Steps"] = self.steps(self.choose([2, 3, 4, 5, 1]), depth=2)
        return self.shuffled(definition)

    def chance(self) -> bool:
        return bool(self.draw(st.booleans()))

    def choose(self, items: Any) -> Any:
        return self.draw(st.sampled_from(sorted(items) if isinstance(items, dict) else items))

    def shuffled(self, members: Json) -> Json:
        return {key: members[key] for key in self.draw(st.permutations(sorted(members)))}

    def name(self) -> str:
        # With a hyphen it could look like an iteration (`Body-0`) of another step.
        name: str = self.draw(names.filter(lambda n: n not in self.taken and "-" not in n))
        self.taken.add(name)
        return name

    def parameter(self) -> Json:
        type_ = self.choose([*_PARAMETER_TYPES, "Integer"])
        parameter = {"Name": self.name(), "Type": type_}
        if self.chance():
            parameter["DefaultValue"] = self.draw(_PARAMETER_TYPES.get(type_, whole_numbers))
        if type_ == "String" and self.chance():
            values = {*self.draw(st.lists(texts, max_size=3)), parameter.get("DefaultValue", "x")}
            parameter["EnumValues"] = sorted(values)
        if type_ == "String" and self.chance():
            del parameter["Type"]
        return parameter

    def experiment(self) -> Json:
        return self.choose(
            [
                None,
                {},
                {"ExperimentName": "e", "TrialName": {"Get": "Execution.PipelineExecutionId"}},
            ]
        )

    def operand(self, kind: str) -> Json:
        """A scalar or expression of a kind: text, number or boolean."""
        literals = {"text": texts, "number": numbers, "boolean": st.booleans()}
        references = [
            {"Get": f"Parameters.{item['Name']}"}
            for item in self.parameters
            if _KIND_OF_TYPE[item.get("Type", "String")] == kind
        ]
        references += [
            {"Get": f"Steps.{step['Name']}.{path}"}
            for step in self.visible
            for path, found in PROPERTIES.get(step["Type"], [])
            if found == kind
        ]
        references += [
            {
                "Std:JsonGet": {
                    "PropertyFile": {"Get": f"Steps.{step['Name']}.PropertyFiles.f"},
                    "Path": self.choose(["a", "a.b[0]['c d']", "$.x", "[1].y"]),
                }
            }
            for step in self.visible
            if step["Type"] == "Processing"
        ]
        if references and self.choose([True, True, True, False]):
            return self.choose(references)
        if kind == "text" and self.chance():
            return self.choose([{"Get": "Execution.PipelineName"}, self.join()])
        return self.draw(literals[kind])

    def join(self) -> Json:
        kinds = self.draw(st.lists(st.sampled_from(["text", "number", "boolean"]), max_size=2))
        return {"Std:Join": {"On": self.draw(texts), "Values": [self.operand(k) for k in kinds]}}

    def value(self, depth: int = 2) -> Json:
        shape = self.choose(["scalar", "scalar", "list", "object"] if depth else ["scalar"])
        if shape == "list":
            return [self.value(depth - 1) for _ in range(self.draw(st.integers(0, 2)))]
        if shape == "object":
            keys = self.draw(st.lists(words, max_size=2, unique=True))
            return {key: self.value(depth - 1) for key in keys}
        return self.operand(self.choose(["text", "number", "boolean"]))

    def steps(self, count: int, *, depth: int) -> list[Json]:
        types = [*SKELETONS, *(["Condition", "Condition", "ForEach"] if depth else [])]
        return [self.step(self.choose(types), depth) for _ in range(count)]

    def step(self, type_: str, depth: int) -> Json:
        required, arguments = SKELETONS.get(type_, ({}, {}))
        step = {"Name": self.name(), "Type": type_, **required, **self.common(type_)}
        if type_ == "Condition":
            step["Arguments"] = self.fork(depth - 1)
        elif type_ == "ForEach":
            step["Arguments"] = self.loop()
        elif type_ in CLOSED_TYPES:
            step["Arguments"] = arguments
        else:
            keys = self.draw(st.lists(words, min_size=1, max_size=2))
            more = {key: self.value() for key in keys}
            step["Arguments"] = {**arguments, **more}
        if type_ != "Fail":
            self.visible.append(step)
        return self.shuffled(step)

    def common(self, type_: str) -> Json:
        offers: Json = {"DisplayName": "a b", "Description": "", "DependsOn": self.dependencies()}
        if STEP_TYPES[type_].cacheable:
            offers["CacheConfig"] = {"Enabled": True, "ExpireAfter": self.choose(DURATIONS)}
        if STEP_TYPES[type_].retries is not Retries.NONE:
            offers["RetryPolicies"] = [_RETRY]
        return {key: offer for key, offer in offers.items() if self.chance()}

    def dependencies(self) -> list[Json]:
        if not self.visible:
            return []
        first, second = self.choose(self.visible)["Name"], self.choose(self.visible)["Name"]
        other = {"Step": second, "Trigger": self.choose(["Failed", "Stopped", "Any"])}
        return [first, other] if first != second else [other]

    def fork(self, depth: int) -> Json:
        return {
            "Conditions": [self.condition(2) for _ in range(self.choose([1, 2, 0]))],
            "IfSteps": self.steps(self.draw(st.integers(0, 2)), depth=depth),
            "ElseSteps": self.steps(self.draw(st.integers(0, 1)), depth=depth),
        }

    def loop(self) -> Json:
        outside = list(self.visible)
        items = [self.operand("text"), self.operand("number")]
        body = [self.step(self.choose(BODY_TYPES), 0) for _ in range(self.draw(st.integers(1, 2)))]
        body[0]["Arguments"] = {**body[0]["Arguments"]}
        if body[0]["Type"] not in CLOSED_TYPES:
            body[0]["Arguments"]["item"] = {"Get": "ForEach.CurrentItem['x']"}
        self.visible = outside
        return {"IterableItems": items, "MaxConcurrency": 2, "ForEachBody": body}

    def condition(self, depth: int) -> Json:
        kind = self.choose(
            ["Equals", "LessThan", "In", "NotEquals", "NotIn", "Not", "Or"][: 5 + depth]
        )
        operands = self.choose(["text", "number", "boolean"])
        if kind == "Not":
            return {"Type": "Not", "Condition": self.condition(depth - 1)}
        if kind == "Or":
            return {"Type": "Or", "Conditions": [self.condition(0), self.condition(depth - 1)]}
        if kind in ("In", "NotIn"):
            query, values = self.choose([("QueryValue", "Values"), ("Value", "In")])
            listed = [self.operand(operands), self.operand(operands)]
            return {"Type": kind, query: self.operand(operands), values: listed}
        if kind == "LessThan":
            operands = "number"
        left, right = self.operand(operands), self.operand(operands)
        return {"Type": kind, "LeftValue": left, "RightValue": right}


DURATIONS = ["P30D", "30d", "T16m", "p30d", "PT4H", "P1Y2M3DT4H5M6.5S", "P2W"]


@st.composite
def definitions(draw: Any) -> Json:
    """Definitions without a fault, with every step type and every kind of expression."""
    return Author(draw).definition()


# Broken definitions.


@st.composite
def mutations(draw: Any, originals: st.SearchStrategy[Json]) -> Json:
    """Definitions in which one to three places hold something else, or nothing, or twice."""
    definition = copy.deepcopy(draw(originals))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from([*places(definition)]))
        action = draw(st.sampled_from(["replace", "remove", "rename", "swap"]))
        _mutate(draw, definition, holder, key, action)
    return definition


def _mutate(draw: Any, definition: Json, holder: Json, key: Any, action: str) -> None:
    if action == "replace":
        holder[key] = draw(json_values)
    elif action == "swap":
        other, place = draw(st.sampled_from([*places(definition)]))
        holder[key] = copy.deepcopy(other[place])
    elif action == "remove":
        del holder[key]
    elif isinstance(holder, dict):
        holder[draw(texts | st.just(f"{key}x"))] = holder.pop(key)


def places(value: Json) -> Iterator[tuple[Json, Any]]:
    """Yield every place in a JSON value, as its holder and the key or index in it."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from places(inner)


# Small definitions by hand.


def definition_of(*steps: Json, parameters: Sequence[Json] = (), **top: Json) -> Json:
    """Return a definition with these steps."""
    return {
        "Version": "2020-12-01",
        "Parameters": [*parameters],
        "Steps": [*steps],
        **top,
    }


def step_of(type_: str, name: str = "S", *, arguments: Json | None = None, **keys: Json) -> Json:
    """Return a step that has what its type requires; `arguments` are added to its own."""
    required, skeleton = SKELETONS.get(type_, ({}, {}))
    body = {**skeleton, **(arguments or {})}
    return {"Name": name, "Type": type_, "Arguments": body, **required, **keys}


def get(target: str) -> Json:
    """Return a reference."""
    return {"Get": target}


def report_on(source: Json) -> list[str]:
    """Return the faults of a definition, each as a user reads it."""
    try:
        read_pipeline(source, "any")
    except DefinitionError as error:
        return [str(fault) for fault in error.faults]
    return []
