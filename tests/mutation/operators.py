"""Mutation operators: every small change of a module's source, one at a time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
"""Replacements of each comparison operator."""

REPLACED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.MatMult: ast.Add,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.USub: ast.UAdd,
}
"""Replacement of each other operator."""

SWAPPED = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any"}
"""Replacement of each called function."""

SKIPPED = (ast.Import, ast.ImportFrom, ast.Assert, ast.JoinedStr)
"""Nodes that are not mutated."""


@dataclass(frozen=True)
class Mutant:
    """Module with one change.

    Attributes:
        line: line number of the change.
        code: source of that line.
        was, now: the smallest part of the source that differs, before and after.
        tree: syntax tree of the whole module.
    """

    line: int
    code: str
    was: str
    now: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its lines; docstrings, annotations and messages are skipped."""
    tree, lines = ast.parse(source), source.splitlines()
    for path, node in _walk(tree, ()):
        for changed in _changes(node):
            was, now = (" ".join(ast.unparse(part).split()) for part in (node, changed))
            line = node.lineno  # type: ignore[attr-defined]
            if not hasattr(changed, "lineno"):
                ast.copy_location(changed, node)
            ast.fix_missing_locations(changed)
            yield Mutant(line, lines[line - 1].strip(), was, now, _put(tree, path, changed))


def _walk(node: ast.AST, path: tuple[tuple[str, int | None], ...]) -> Iterator[tuple[tuple, ast.AST]]:  # type: ignore[type-arg]
    yield path, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases"):
            continue
        items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, item in items:
            if isinstance(item, ast.AST) and not isinstance(item, SKIPPED) and not _docstring(item):
                yield from _walk(item, (*path, (name, index)))


def _docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _put(tree: Any, path: tuple[tuple[str, int | None], ...], new: ast.AST) -> Any:
    """Return the tree with another node at a path; it shares all nodes beside the path with the original."""
    if not path:
        return new
    (name, index), *rest = path
    part = getattr(tree, name)
    if index is None:
        return _with(tree, **{name: _put(part, tuple(rest), new)})
    return _with(tree, **{name: [*part[:index], _put(part[index], tuple(rest), new), *part[index + 1 :]]})


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the mutations of a node."""
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                for other in COMPARED[type(op)]:
                    yield _with(node, ops=[*ops[:at], other(), *ops[at + 1 :]])
        case ast.BinOp(op=op) if type(op) in REPLACED:
            yield _with(node, op=REPLACED[type(op)]())
        case ast.AugAssign(op=op):
            yield _with(node, op=REPLACED[type(op)]())
            yield ast.Pass()
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=REPLACED[type(op)]())
            yield from values
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.UnaryOp(op=op) if type(op) in REPLACED:
            yield _with(node, op=REPLACED[type(op)]())
        case ast.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(value * 2 if value not in (0, 1) else value - 1)
        case ast.Constant(value=str() as value):
            yield ast.Constant("" if value else "mutated")
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            yield _with(node, func=ast.Name(SWAPPED[name], ast.Load()))
        case ast.Call(func=ast.Attribute(attr=name) as func) if name in SWAPPED:
            yield _with(node, func=_with(func, attr=SWAPPED[name]))
        case ast.Call(func=ast.Attribute(value=ast.Name("np"), attr="abs" | "sign"), args=[inner]):
            yield inner
        case ast.Call(func=ast.Attribute(attr="copy", value=inner), args=[]):
            yield inner
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.If(test=test):
            yield _with(node, test=ast.Constant(True))
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.For() | ast.Break() | ast.Continue() | ast.Assign():
            yield ast.Pass()
        case ast.Expr():
            yield ast.Pass()


def _with(node: ast.AST, **parts: object) -> ast.AST:
    twin = copy.copy(node)
    for name, value in parts.items():
        setattr(twin, name, value)
    return twin
