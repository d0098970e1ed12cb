"""Every error message in the source, with an ellipsis where something is filled in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dawn import errors
from tests.docs.blocks import ROOT

CLASSES = [name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, errors.DawnError)]
GAP = "…"


def messages() -> Iterator[tuple[str, str, str]]:
    """Class, message and file of every error that is raised in words of its own."""
    for path in sorted([*ROOT.glob("dawn/**/*.py"), *ROOT.glob("viz/**/*.py")]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = dict(assigned(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CLASSES and node.args:
                for words in filter(str.strip, filter(None, spelt(node.args[0], constants))):
                    yield node.func.id, words, str(path.relative_to(ROOT))


def assigned(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The texts that a module names."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Constant, ast.JoinedStr)):
            yield node.targets[0].id, "".join(spelt(node.value, {}))


def spelt(node: ast.expr, constants: dict[str, str]) -> list[str]:
    """The messages that an expression may be; none if it has no words here."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else GAP for part in node.values)
        return ["".join(parts)]
    if isinstance(node, ast.Name):
        return [constants[node.id]] if node.id in constants else []
    if isinstance(node, ast.IfExp):
        return spelt(node.body, constants) + spelt(node.orelse, constants)
    if isinstance(node, ast.BoolOp):
        return [words for one in node.values for words in spelt(one, constants)]
    return []
