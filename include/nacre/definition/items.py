"""Parsed JSON together with its place, for reading it piece by piece without a raise.

Whatever is wrong becomes a fault, reading goes on with an empty value of the right kind, and so
one reading finds all faults.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from include.nacre.definition.conditions import Comparison, Membership
from include.nacre.definition.expressions import Expression, Json
from include.nacre.definition.faults import WHOLE, Fault, below, did_you_mean, kind, shown

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Use:
    """An expression where it stands; `step` is the place of the step that it stands in."""

    place: str
    step: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reading of a file has found so far."""

    faults: list[Fault] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    tests: list[tuple[str, Comparison | Membership]] = field(default_factory=list)

    def report(self, place: str, what: str, hint: str = "") -> None:
        """Report a fault at a place."""
        self.faults.append(Fault(place, what, hint))


class Fields(dict[str, "Item"]):
    """The members that an object has of those that it may have."""

    def read(self, key: str, reader: Callable[["Item"], T], default: D) -> T | D:
        """Return what a member is read as, or the default where it is absent."""
        return reader(self[key]) if key in self else default


@dataclass(frozen=True, slots=True)
class Item:
    """A JSON value at a place."""

    value: Json
    place: str
    reading: Reading
    step: str = ""

    def fault(self, what: str, hint: str = "") -> None:
        """Report a fault here."""
        self.reading.report(self.place or WHOLE, what, hint)

    def at(self, part: str | int) -> "Item":
        """Return the member or element; it must exist."""
        return Item(self.value[part], below(self.place, part), self.reading, self.step)

    def find(self, *keys: str) -> "Item | None":
        """Return the member at a path of keys, or None where there is none."""
        found = self
        for key in keys:
            if not isinstance(found.value, dict) or key not in found.value:
                return None
            found = found.at(key)
        return found

    def as_step(self) -> "Item":
        """Return this item as the step that everything in it belongs to."""
        return Item(self.value, self.place, self.reading, self.place)

    def fields(self, keys: Mapping[str, bool]) -> Fields:
        """Return the members of an object.

        `keys` says of each key whether it is required. A key that is not among them is a fault.
        """
        members = self.members()
        if isinstance(self.value, dict):
            self._report_keys(keys)
        return Fields({key: item for key, item in members.items() if key in keys})

    def _report_keys(self, keys: Mapping[str, bool]) -> None:
        for key, required in keys.items():
            if required and key not in self.value:
                self.fault(f"the required key {shown(key)} is missing")
        for key in self.value:
            if key not in keys:
                self.fault(f"unknown key {shown(key)}", did_you_mean(key, keys))

    def members(self) -> Fields:
        """Return all members of an object."""
        if not isinstance(self.value, dict):
            self._wrong("an object")
            return Fields()
        return Fields({key: self.at(key) for key in self.value})

    def elements(self, *, at_most: int | None = None) -> list["Item"]:
        """Return the elements of a list."""
        if not isinstance(self.value, list):
            self._wrong("a list")
            return []
        if at_most is not None and len(self.value) > at_most:
            self.fault(f"{len(self.value)} entries, but at most {at_most} are allowed")
        return [self.at(index) for index in range(len(self.value))]

    def text(self, *, at_most: int | None = None, empty: bool = True) -> str:
        """Return a string."""
        if not isinstance(self.value, str):
            self._wrong("text")
            return ""
        if at_most is not None and len(self.value) > at_most:
            self.fault(f"{len(self.value)} characters, but at most {at_most} are allowed")
        if not self.value and not empty:
            self.fault("must not be empty")
        return self.value

    def choice(self, known: Collection[str]) -> str:
        """Return a string that must be one of those known."""
        text = self.text()
        if isinstance(self.value, str) and text not in known:
            self.fault(f"unknown value {shown(text)}", did_you_mean(text, known))
        return text

    def flag(self) -> bool:
        """Return a boolean."""
        if not isinstance(self.value, bool):
            self._wrong("true or false")
            return False
        return self.value

    def whole_number(self, least: int, most: int) -> int | None:
        """Return an integer within a range."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self._wrong("a whole number")
            return None
        if not least <= self.value <= most:
            self.fault(f"{shown(self.value)} is not between {least} and {most:,}")
        return self.value

    def _wrong(self, wanted: str) -> None:
        self.fault(f"must be {wanted}, not {kind(self.value)}")
