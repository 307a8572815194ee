"""The scenario that the command line gives: a file, single rules, or both."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from include.nacre.definition.faults import Fault
from include.nacre.local.faults.reading import ScenarioError, parse_rule, parse_scenario
from include.nacre.local.faults.rules import Rule, Scenario


@dataclass(frozen=True)
class Given:
    """`--faults FILE`, and the texts of every `--fault`."""

    file: Path | None = None
    rules: Sequence[str] = ()

    def scenario(self, operations: Collection[str]) -> Scenario:
        """The file's rules, then the others; raises ScenarioError with the faults of all."""
        scenario, rules, wrong = Scenario(), list[Rule](), list[Fault]()
        try:
            scenario = _of_file(self.file, operations) if self.file else scenario
        except ScenarioError as error:
            wrong += _placed(error, str(self.file))
        for number, text in enumerate(self.rules, 1):
            try:
                rules.append(parse_rule(text, operations))
            except ScenarioError as error:
                wrong += _placed(error, f"--fault {number}")
        if wrong:
            raise ScenarioError(wrong)
        return replace(scenario, rules=[*scenario.rules, *rules])


def _of_file(file: Path, operations: Collection[str]) -> Scenario:
    try:
        text = file.read_bytes()
    except OSError as error:
        said = f"it cannot be read ({error.strerror})"
        raise ScenarioError([Fault("the scenario", said)]) from error
    return parse_scenario(text, operations)


def _placed(error: ScenarioError, origin: str) -> list[Fault]:
    return [replace(fault, place=f"{origin}: {fault.place}") for fault in error.faults]
