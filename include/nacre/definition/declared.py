"""The parameters and steps of a pipeline by name, and what is known of a value before a run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from include.nacre.definition.conditions import kind_of
from include.nacre.definition.expressions import (
    ExecutionVariable,
    ExperimentVariable,
    Join,
    Node,
    ParameterRef,
    StepProperty,
    Value,
)
from include.nacre.definition.properties import (
    ANY,
    SCALAR_KINDS,
    SHAPE_OF_TYPE,
    NoSuchProperty,
    property_shape,
)
from include.nacre.definition.records import Parameter, Step, flatten


@dataclass(frozen=True, slots=True)
class Declared:
    """Parameters and steps by name; of several with one name, the first."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]

    @classmethod
    def by(cls, parameters: Iterable[Parameter], steps: tuple[Step, ...]) -> "Declared":
        """Index the parts of a pipeline."""
        return cls(
            {item.name: item for item in reversed([*parameters])},
            {step.name: step for step in reversed([*flatten(steps)])},
        )

    def shape(self, value: Value) -> str:
        """Return the shape that an expression's value will have; `any` if nobody knows."""
        match value:
            case ParameterRef(name) if name in self.parameters:
                return SHAPE_OF_TYPE.get(self.parameters[name].type, ANY)
            case ExecutionVariable() | ExperimentVariable() | Join():
                return "string"
            case StepProperty(step, path) if step in self.steps and self.steps[step].type:
                try:
                    return property_shape(self.steps[step], path)
                except NoSuchProperty:
                    return ANY
            case _:
                return ANY

    def kind(self, value: Value) -> str | None:
        """Return the kind of a literal or expression as `kind_of` names it; None if unknown."""
        return SCALAR_KINDS.get(self.shape(value)) if isinstance(value, Node) else kind_of(value)
