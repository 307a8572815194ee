"""Reading conditions: JSON into the records of conditions."""

from include.nacre.definition.conditions import (
    COMPARISONS,
    CONDITION_TYPES,
    MEMBERSHIPS,
    Comparison,
    Condition,
    Membership,
    Not,
    Or,
)
from include.nacre.definition.faults import did_you_mean, shown
from include.nacre.definition.items import Item
from include.nacre.definition.read_values import read_operand


def read_conditions(item: Item) -> tuple[Condition, ...]:
    """Return a list of conditions, less those at fault."""
    return tuple(filter(None, map(read_condition, item.elements())))


def read_condition(item: Item) -> Condition | None:
    """Return one condition, or None if it is at fault."""
    members = item.members()
    if "Type" not in members:
        if isinstance(item.value, dict):
            item.fault('the required key "Type" is missing')
        return None
    type_ = members["Type"].value
    if type_ == "Not":
        return _read_not(item)
    if type_ == "Or":
        return _read_or(item)
    if isinstance(type_, str) and type_ in COMPARISONS:
        return _read_comparison(item, type_)
    if isinstance(type_, str) and type_ in MEMBERSHIPS:
        return _read_membership(item, type_)
    members["Type"].fault(
        f"unknown condition type {shown(type_)}", did_you_mean(str(type_), CONDITION_TYPES)
    )
    return None


def _read_not(item: Item) -> Not | None:
    fields = item.fields({"Type": True, "Condition": True})
    inner = read_condition(fields["Condition"]) if "Condition" in fields else None
    return Not(inner) if inner else None


def _read_or(item: Item) -> Or | None:
    fields = item.fields({"Type": True, "Conditions": True})
    if "Conditions" not in fields:
        return None
    if fields["Conditions"].value == []:
        fields["Conditions"].fault("an Or needs at least one condition")
    return Or(read_conditions(fields["Conditions"]))


def _read_comparison(item: Item, type_: str) -> Comparison | None:
    fields = item.fields({"Type": True, "LeftValue": True, "RightValue": True})
    if len(fields) < 3:
        return None
    left, right = read_operand(fields["LeftValue"]), read_operand(fields["RightValue"])
    condition = Comparison(type_, left, right)
    item.reading.tests.append((item.place, condition))
    return condition


def _read_membership(item: Item, type_: str) -> Membership | None:
    # The published schema's spelling of the two keys; whether the service takes it is unknown.
    keys = ("Value", "In") if "In" in item.value else ("QueryValue", "Values")
    fields = item.fields({"Type": True, keys[0]: True, keys[1]: True})
    if len(fields) < 3:
        return None
    query = read_operand(fields[keys[0]])
    values = tuple(map(read_operand, fields[keys[1]].elements()))
    condition = Membership(type_, query, values, keys)
    item.reading.tests.append((item.place, condition))
    return condition
