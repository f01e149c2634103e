"""A file is one noun, a function does one thing: the limits beyond which neither can be true."""

import ast

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 50
MOST_PARAMETERS = 8


def test_no_file_is_longer_than_400_lines(modules):
    """Files beyond it have hidden more than one noun so far."""
    long = {
        module.name: module.lines
        for module in modules
        if module.lines > MOST_LINES_OF_A_FILE and not module.is_generated
    }

    assert {} == long


def test_no_function_is_longer_than_50_lines(modules):
    """It would not fit on a screen with its caller."""
    long = [
        f"{module.name}:{function.lineno} {function.name}"
        for module in modules
        if not module.is_generated
        for function in module.walk(*FUNCTIONS)
        if function.end_lineno - function.lineno >= MOST_LINES_OF_A_FUNCTION
    ]

    assert [] == long


def test_no_function_takes_more_than_8_parameters(modules):
    """More of them want to be a value of their own."""
    wide = [
        f"{module.name}:{function.lineno} {function.name}"
        for module in modules
        if not module.is_generated
        for function in module.walk(*FUNCTIONS)
        if len(_parameters(function)) > MOST_PARAMETERS
    ]

    assert [] == wide


def _parameters(function):
    declared = function.args
    names = [one.arg for one in (*declared.posonlyargs, *declared.args, *declared.kwonlyargs)]
    return [name for name in names if name not in {"self", "cls"}]
