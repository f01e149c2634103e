"""Sets that are walked in another order than they happen to be: no answer may depend on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class OtherOrder(set[T]):
    """A set that is walked backwards. What is computed from it is an ordinary set again."""

    __slots__ = ()

    def __iter__(self) -> Iterator[T]:
        return reversed(list(super().__iter__()))

    def pop(self) -> T:
        """Take the one out that is walked first."""
        if not self:
            raise KeyError("pop from an empty set")
        found = next(iter(self))
        self.remove(found)
        return found


def in_other_order(value: Any) -> Any:
    """The same value with its sets walked in another order; what holds them is changed in place."""
    if type(value) is set:
        return OtherOrder(value)
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = in_other_order(item)
    elif type(value) is list:
        value[:] = map(in_other_order, value)
    elif type(value) is tuple:
        return tuple(map(in_other_order, value))
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            msgspec.structs.force_setattr(value, name, in_other_order(getattr(value, name)))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            object.__setattr__(value, field.name, in_other_order(getattr(value, field.name)))
    return value
