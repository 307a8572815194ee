"""A hypothesis strategy for definitions that run: their jobs are quick, their outcome is settled.

Steps have every form of reference, fail now and then, and wait for each other in every way of
which the executors make the same. What is left out, because there the executors are meant to
differ or chance decides, is said where it is left out.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from include.nacre.definition.conditions import MEMBERSHIPS
from tests.dag.outcomes.bodies import (
    ARTIFACTS,
    FACTS_PATHS,
    IMAGE,
    PROCESS,
    PROCESSING_PROPERTIES,
    REPORT,
    TIMES,
    TRAIN,
    TRAINING_PROPERTIES,
    channel,
    cluster,
    folder,
    job_input,
    job_output,
    join,
)
from tests.dag.outcomes.landing import FACTS, FACTS_URI, MODEL_URI, SOURCE_URI
from tests.support.local_sagemaker import BUCKET, ROLE

Json = Any

MOST_STEPS = 12
MOST_AT_THE_END = 2
DEPTH = 2
words = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
# What braces, quotes or blanks could spoil on the way; no lone quote, for the job's own shell.
texts = words | st.sampled_from(
    [
        "",
        "{{ ds }}",
        "{% raw %}",
        "a b",
        'say "so"',
        "$HOME",
        "ünï çödé",
        "it's",
        "[0]",
        "conf.json",
    ]
)
# None that is a time limit of a few seconds: chance would decide which job keeps to it.
wholes = st.integers(-5, 0) | st.integers(100, 1000)
floats = st.sampled_from([0.5, -1.25, 3.0, 1e21, 1e-7, 0.1 + 0.2, 7.0])
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}(-[A-Za-z0-9]{1,4})?", fullmatch=True)


@dataclass(frozen=True)
class Case:
    """A definition, and what an execution of it is given."""

    definition: Json
    values: dict[str, Any]
    parallelism: int | None = None

    def __repr__(self) -> str:
        """As JSON: to be pasted into a file."""
        return json.dumps(vars(self), indent=1)


@dataclass
class Offer:
    """A value that steps may refer to. One that is not `settled` is made anew in every run."""

    kind: str
    expression: Json
    settled: bool = True


@dataclass
class Author:
    """Writes one definition from drawn choices; references point to what was written before."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    parameters: list[Json] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)
    visible: list[Json] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    room: int = 0

    def case(self) -> Case:
        self.offers += [
            Offer("text", {"Get": "Execution.PipelineName"}),
            Offer("text", {"Get": "Execution.PipelineExecutionId"}, settled=False),
            *(self._json_gets(self._s3_source(FACTS_URI))),
        ]
        for _ in range(self.choose([2, 3, 1, 0, 4])):
            self.parameter()
        definition: Json = {"Version": "2020-12-01", "Parameters": self.parameters}
        if self.chance():
            definition["PipelineExperimentConfig"] = self.experiment()
        self.room = self.draw(st.integers(1, MOST_STEPS - MOST_AT_THE_END))
        steps: list[Json] = []
        while self.room > 0:
            steps.append(self.step(DEPTH))
        definition["Steps"] = [*steps, *self.end(steps)]
        parallelism = self.choose([None, 1, 2, 3])
        return Case(definition, self.values, parallelism)

    # Choices.

    def chance(self, one_in: int = 2) -> bool:
        return bool(self.draw(st.integers(1, one_in)) == one_in)

    def choose(self, items: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(items))

    def name(self) -> str:
        long = self.chance(12)
        drawn = names.map(lambda name: name.ljust(64, "x") if long else name)
        name: str = self.draw(drawn.filter(lambda name: name not in self.taken))
        self.taken.add(name)
        return name

    # What an execution is given.

    def parameter(self) -> None:
        type_ = self.choose(["String", "Integer", "Float", "Boolean"])
        kinds = {"String": texts, "Integer": wholes, "Float": floats | wholes}
        value = kinds.get(type_, st.booleans())
        name = self.name()
        parameter = {"Name": name, "Type": type_}
        if self.chance():
            parameter["DefaultValue"] = self.draw(value)
        if "DefaultValue" not in parameter or self.chance():
            # Natively an execution cannot be given an empty text; a default may be one.
            self.values[name] = self.draw(value.filter(lambda drawn: drawn != ""))
        if type_ == "String" and self.chance(3):
            given = {self.values.get(name), parameter.get("DefaultValue"), "x"} - {None}
            parameter["EnumValues"] = sorted(given)
        self.parameters.append(parameter)
        kind = {"String": "text", "Integer": "number", "Float": "number", "Boolean": "flag"}[type_]
        self.offers.append(Offer(kind, {"Get": f"Parameters.{name}"}))

    def experiment(self) -> Json:
        self.offers += [
            Offer("text", {"Get": "PipelineExperimentConfig.ExperimentName"}),
            Offer("text", {"Get": "PipelineExperimentConfig.TrialName"}, settled=False),
        ]
        run = {"Get": "Execution.PipelineExecutionId"}
        return {"ExperimentName": "experiment", "TrialName": join("-", ["trial", run])}

    # Values.

    def text(self, *, settled: bool = False) -> Json:
        if self.chance(4):
            kinds = self.draw(st.lists(st.sampled_from(["text", "number", "flag"]), max_size=3))
            parts = [self.operand(kind, settled=settled) for kind in kinds]
            return join(self.choose(["", "-", "/", " "]), parts)
        return self.operand("text", settled=settled)

    def operand(self, kind: str, *, settled: bool = False) -> Json:
        """A literal of a kind or a reference to one."""
        fit = [
            offer.expression
            for offer in self.offers
            if offer.kind == kind and (offer.settled or not settled)
        ]
        if fit and not self.chance(4):
            return self.choose(fit)
        return self.draw({"text": texts, "number": wholes | floats, "flag": st.booleans()}[kind])

    def whole_seconds(self) -> Json:
        """A number that is mostly a time limit: one that is not is refused, by either executor."""
        whole = [item["Name"] for item in self.parameters if item["Type"] == "Integer"]
        if whole and self.chance(3):
            return {"Get": f"Parameters.{self.choose(whole)}"}
        return 600

    def _json_gets(self, source: Json, *, settled: bool = True) -> list[Offer]:
        return [
            Offer(kind, {"Std:JsonGet": {**source, "Path": path}}, settled)
            for path, kind in FACTS_PATHS.items()
        ]

    def _s3_source(self, uri: Json) -> Json:
        place, _, name = uri.rpartition("/") if isinstance(uri, str) else (uri, "", "report.json")
        return {"S3Uri": join("/", [place, name])}

    # Steps.

    def step(self, depth: int) -> Json:
        self.room -= 1
        if depth == DEPTH and self.visible and self.chance(6):
            return self.rescue()
        types = ["Processing"] * 4 + ["Training", "Model", "RegisterModel"]
        if depth:
            types += ["Condition"] * 3
        type_ = self.choose(types)
        name = self.name()
        step: Json = {"Name": name, "Type": type_}
        self._dependencies(step)
        make = {
            "Processing": self.processing,
            "Training": self.training,
            "Model": self.model,
            "RegisterModel": self.register,
        }
        if type_ == "Condition":
            self.condition(step, depth)
        else:
            step |= make[type_](name)
        if self.chance(8):
            step |= {"DisplayName": "a name", "Description": "{{ described }}"}
        self.visible.append(step)
        return step

    def rescue(self) -> Json:
        """A step that starts when others have ended in another way than by success.

        It mostly refers to those alone: a reference to any other waits for its success. No
        job here is stopped, so what awaits that never runs.
        """
        ends = ["Failed", "Failed", "Any", "Any", "Completed", "Stopped"]
        awaited = {self.choose(self.visible)["Name"]: self.choose(ends) for _ in range(2)}
        visible, offers = self.visible, self.offers
        if not self.chance(4):
            self.visible = []
            self.offers = [item for item in offers if _steps_of(item) <= awaited.keys()]
        name = self.name()
        waits = [{"Step": item, "Trigger": awaited[item]} for item in awaited]
        waits = [item["Step"] if item["Trigger"] == "Completed" else item for item in waits]
        step = {"Name": name, "Type": "Processing", "DependsOn": waits, **self.processing(name)}
        made = [item for item in self.offers if name in _steps_of(item)]
        self.visible, self.offers = [*visible, step], [*offers, *made]
        return step

    def _dependencies(self, step: Json) -> None:
        if self.visible and self.chance(3):
            count = self.choose([1, 1, 2, 3])
            chosen = {self.choose(self.visible)["Name"]: None for _ in range(count)}
            step["DependsOn"] = [*chosen]

    def processing(self, name: str) -> Json:
        document = {
            **FACTS,
            "text": self.draw(words),
            "number": self.draw(floats),
            "exit": self.choose([0] * 5 + [3]),
        }
        application = {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "-c", PROCESS],
            "ContainerArguments": [json.dumps(document), *self._texts(2)],
        }
        request = {
            "RoleArn": ROLE,
            "AppSpecification": application,
            "ProcessingResources": {"ClusterConfig": cluster()},
            "ProcessingInputs": [
                job_input(f"in{number}", uri) for number, uri in enumerate(self._addresses())
            ],
            "ProcessingOutputConfig": {"Outputs": [job_output(name)]},
            "StoppingCondition": {"MaxRuntimeInSeconds": self.whole_seconds()},
            "NetworkConfig": {"EnableNetworkIsolation": self.operand("flag")},
        }
        if self.chance(3):
            request["Environment"] = {"TEXT": self.text()}
        if self.chance(4):
            application["ContainerArguments"].append({"Get": "Execution.ProcessingJobName"})
        if self.chance(4):
            application["ContainerArguments"].append(self.choose(TIMES))
        if self.chance(6):
            request["ProcessingJobName"] = "my-prefix"
        if self.chance(4):
            request["Tags"] = [{"Key": "run", "Value": {"Get": "Execution.PipelineExecutionId"}}]
        address = {"Get": f"Steps.{name}.{REPORT}"}
        self._offer(name, PROCESSING_PROPERTIES)
        file = {"PropertyFile": {"Get": f"Steps.{name}.PropertyFiles.Report"}}
        self.offers += self._json_gets(file) + self._json_gets(self._s3_source(address))
        if self.chance(10):
            self.offers += [Offer("text", {"Std:JsonGet": {**file, "Path": "no.such.thing"}})]
        files = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]
        return {"Arguments": request, "PropertyFiles": files}

    def _texts(self, most: int) -> list[Json]:
        return [self.text() for _ in range(self.draw(st.integers(0, most)))]

    def _addresses(self) -> list[Json]:
        """What a job reads: outputs of earlier ones, and now and then nothing that exists."""
        found = [
            {"Get": f"Steps.{step['Name']}.{REPORT if step['Type'] == 'Processing' else ARTIFACTS}"}
            for step in self.visible
            if step["Type"] in ("Processing", "Training")
        ]
        chosen = [self.choose(found) for _ in range(self.choose([0, 1, 2]))] if found else []
        return chosen + ([f"s3://{BUCKET}/nothing/here"] if self.chance(25) else [])

    def training(self, name: str) -> Json:
        hyperparameters = {
            "text": join("", [self.text()]),
            "score": "0.25",
            "exit": self.choose(["0"] * 5 + ["3"]),
        }
        algorithm: Json = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
        if self.chance(4):
            hyperparameters |= {
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": json.dumps(SOURCE_URI),
            }
        else:
            algorithm["ContainerEntrypoint"] = ["python3", "-c", TRAIN]
        algorithm["MetricDefinitions"] = [{"Name": "score", "Regex": "score=(.*?);"}]
        request = {
            "RoleArn": ROLE,
            "AlgorithmSpecification": algorithm,
            "HyperParameters": hyperparameters,
            "InputDataConfig": [
                channel(f"channel{number}", uri) for number, uri in enumerate(self._addresses())
            ],
            "OutputDataConfig": {"S3OutputPath": folder(name)},
            "ResourceConfig": cluster(),
            "StoppingCondition": {"MaxRuntimeInSeconds": self.whole_seconds()},
            "EnableNetworkIsolation": False,
        }
        if not request["InputDataConfig"]:
            del request["InputDataConfig"]
        if self.chance(4):
            hyperparameters["job"] = {"Get": "Execution.TrainingJobName"}
        self._offer(name, TRAINING_PROPERTIES)
        return {"Arguments": request}

    def _container(self) -> Json:
        trained = [step["Name"] for step in self.visible if step["Type"] == "Training"]
        data = {"Get": f"Steps.{self.choose(trained)}.{ARTIFACTS}"} if trained else MODEL_URI
        return {"Image": IMAGE, "ModelDataUrl": data}

    def model(self, name: str) -> Json:
        container = self._container() | {"Environment": {"TEXT": self.text()}}
        request = {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}
        if self.chance(6):
            request["ModelName"] = "my-model"
        self._offer(name, {"ModelName": "name", "PrimaryContainer.Environment['TEXT']": "text"})
        return {"Arguments": request}

    def register(self, name: str) -> Json:
        run = {"Get": "Execution.PipelineExecutionId"}
        inference = {
            "Containers": [self._container()],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        request = {
            # A group of its own in each run: in a common one the version would tell the runs apart.
            "ModelPackageGroupName": join("-", ["group", run, name.replace("_", "")]),
            "ModelApprovalStatus": self.choose(["Approved", "PendingManualApproval"]),
            "InferenceSpecification": inference,
            "CustomerMetadataProperties": {"Number": join("", [self.operand("number")])},
            "ModelPackageDescription": join("", ["described ", self.draw(words)]),
        }
        properties = {"ModelPackageArn": "name", "ModelPackageVersion": "number"}
        self._offer(name, properties | {"ModelApprovalStatus": "text"})
        return {"Arguments": request}

    def _offer(self, name: str, properties: dict[str, str]) -> None:
        self.offers += [
            Offer(
                "text" if kind == "name" else kind,
                {"Get": f"Steps.{name}.{path}"},
                settled=kind != "name",
            )
            for path, kind in properties.items()
        ]

    def condition(self, step: Json, depth: int) -> None:
        conditions = [self.comparison(2) for _ in range(self.choose([1, 1, 2, 0]))]
        self.offers.append(Offer("text", {"Get": f"Steps.{step['Name']}.Outcome"}))
        branches = {}
        for branch in ("IfSteps", "ElseSteps"):
            count = min(self.choose([1, 0, 2, 3]), self.room)
            branches[branch] = [self.step(depth - 1) for _ in range(count) if self.room > 0]
        step["Arguments"] = {"Conditions": conditions, **branches}

    def comparison(self, depth: int) -> Json:
        types = ["Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"]
        types += ["NotEquals", *MEMBERSHIPS, *(["Not", "Or"] if depth else [])]
        type_ = self.choose(types)
        if type_ == "Not":
            return {"Type": "Not", "Condition": self.comparison(depth - 1)}
        if type_ == "Or":
            return {
                "Type": "Or",
                "Conditions": [self.comparison(depth - 1) for _ in range(self.choose([2, 1, 3]))],
            }
        if type_ in MEMBERSHIPS:
            kind = self.choose(["text", "number", "flag"])
            query, values = self.choose([("QueryValue", "Values"), ("Value", "In")])
            listed = [self.operand(kind) for _ in range(self.choose([2, 1, 3]))]
            return {"Type": type_, query: self.operand(kind), values: listed}
        ordered = type_ not in ("Equals", "NotEquals")
        kind = self.choose(["number", "text"] if ordered else ["number", "text", "flag"])
        # Chance decides the order of names that are made anew in every run.
        left, right = (self.operand(kind, settled=ordered) for _ in range(2))
        return {"Type": type_, "LeftValue": left, "RightValue": right}

    def end(self, steps: list[Json]) -> list[Json]:
        """Perhaps a Fail step, behind all others: natively nothing new starts after it, in Airflow
        what does not depend on it goes on.
        """
        if not self.chance(4):
            return []
        fail = {
            "Name": self.name(),
            "Type": "Fail",
            "Arguments": {"ErrorMessage": join(" ", ["because", self.text()])},
        }
        before = [step["Name"] for step in steps]
        if self.chance():
            return [{**fail, "DependsOn": before}]
        branches = {"IfSteps": [fail], "ElseSteps": []}
        if self.chance():
            branches = {"IfSteps": [], "ElseSteps": [fail]}
        arguments = {"Conditions": [self.comparison(1)], **branches}
        fork = {"Name": self.name(), "Type": "Condition", "DependsOn": before}
        return [{**fork, "Arguments": arguments}]


def _steps_of(offer: Offer) -> set[str]:
    return set(re.findall(r"Steps\.([\w-]+)", json.dumps(offer.expression)))


@st.composite
def cases(draw: Any) -> Case:
    """Definitions that run, with values for their parameters."""
    return Author(draw).case()
