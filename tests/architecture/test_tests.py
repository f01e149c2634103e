"""Rules for the tests themselves."""

import ast


def test_no_test_sleeps(modules):
    """A sleep is too short on a slow machine and too long on a fast one; wait for what happens."""
    sleeps = [
        f"{module.name}:{node.lineno}"
        for module in modules
        if module.is_test
        for node in module.walk(ast.Attribute, ast.ImportFrom)
        if _is_sleep(node)
    ]

    assert [] == sleeps


def test_every_test_says_why(modules):
    """The name is the claim, the docstring its reason."""
    silent = [
        f"{module.name}:{function.lineno} {function.name}"
        for module in modules
        if module.is_test
        for function in module.walk(ast.FunctionDef)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert [] == silent


def _is_sleep(node):
    if isinstance(node, ast.ImportFrom):
        return node.module == "time" and any(alias.name == "sleep" for alias in node.names)
    return ast.unparse(node).endswith(("time.sleep", "asyncio.sleep", "Event().wait"))
