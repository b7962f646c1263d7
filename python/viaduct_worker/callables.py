"""Reads the text that names an application in its module: `app`, `site.app`, or a call such as `create_app('prod')`."""

import ast


def read_callable(text: str) -> tuple[str, str | None]:
    """Return the attribute path, and the source of the arguments of its call; None if `text` calls nothing.

    Raises ValueError, whose text says what `text` is, for anything but a name and a call with literals.
    """
    try:
        node = ast.parse(text, mode='eval').body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError('it is not a name, and not a call of a name') from None
    call = node if isinstance(node, ast.Call) else None
    target = call.func if call else node
    if not is_path(target):
        raise ValueError('it is not a name, and not a call of a name')
    if not call:
        return ast.unparse(target), None
    arguments = ', '.join([*map(ast.unparse, call.args), *(argument_source(keyword) for keyword in call.keywords)])
    read_arguments(arguments)
    return ast.unparse(target), arguments


def read_arguments(source: str) -> tuple[list[object], dict[str, object]]:
    """The values in `source`, by position and by name. Raises ValueError for one that is not a literal."""
    if not source:
        return [], {}
    call = ast.parse(f'f({source})', mode='eval').body
    assert isinstance(call, ast.Call)
    positional = [literal(argument) for argument in call.args]
    named: dict[str, object] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise ValueError(f'its argument {argument_source(keyword)} is not a literal')
        named[keyword.arg] = literal(keyword.value)
    return positional, named


def literal(node: ast.expr) -> object:
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        raise ValueError(f'its argument {ast.unparse(node)} is not a literal') from None
    return value


def argument_source(keyword: ast.keyword) -> str:
    value = ast.unparse(keyword.value)
    return f'**{value}' if keyword.arg is None else f'{keyword.arg}={value}'


def is_path(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
