"""What handlers keep outside their state: values in the globals of their modules.

A crash forgets them and a rebuild begins without them, so an answer made of them is lost.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from types import CodeType, FunctionType
from typing import Any, Final

_PLAIN: Final = (int, float, str, bytes, bool, type(None))
_COLLECTIONS: Final = (tuple, list, set, frozenset)


class ModuleGlobals:
    """The plain values and collections among the globals that some functions use.

    They are kept as they were when this was made. Functions of the same module that are called are
    looked through too.
    """

    def __init__(self, functions: Iterable[Any]) -> None:
        self._found: dict[tuple[str, str], tuple[dict[str, Any], Any]] = {}
        seen: set[FunctionType] = set()
        for function in functions:
            if isinstance(function, FunctionType):
                self._look(function, seen)

    def changed(self) -> list[str]:
        """`module.name` of each that is another one since."""
        return [
            f"{module}.{name}"
            for (module, name), (names, before) in self._found.items()
            if names.get(name) != before
        ]

    def restore(self) -> None:
        """Make them what they were."""
        for (_, name), (names, before) in self._found.items():
            if names.get(name) != before:
                names[name] = copy.deepcopy(before)

    def _look(self, function: FunctionType, seen: set[FunctionType]) -> None:
        if function in seen:
            return
        seen.add(function)
        names = function.__globals__
        for name in _names(function.__code__) & names.keys():
            value = names[name]
            if isinstance(value, FunctionType) and value.__module__ == function.__module__:
                self._look(value, seen)
            elif _is_plain(value):
                self._found[function.__module__, name] = names, copy.deepcopy(value)


def _names(code: CodeType) -> set[str]:
    """The names that a function's code uses, those of functions inside it included."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(item) for key, item in value.items())
    if isinstance(value, _COLLECTIONS):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)
