"""Rewrites a template before it is compiled, so that all of its work is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

_REWRITINGS: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Template: "_body",
    nodes.For: "_body",
    nodes.Macro: "_body",
    nodes.CallBlock: "_body",
    nodes.Block: "_body",
    nodes.List: "_built",
    nodes.Tuple: "_built",
    nodes.Dict: "_built",
    nodes.Concat: "_concat",
    nodes.Compare: "_compared",
    nodes.Getitem: "_sliced",
    nodes.Assign: "_stored",
}
"""How each kind of node is rewritten."""


class Metering(NodeTransformer):
    """Puts a counter into every body, and a measure around every value that is built."""

    def get_visitor(self, node: nodes.Node) -> Any:
        """The rewriting of a kind of node; None leaves it as it is."""
        return getattr(self, _REWRITINGS.get(type(node), ""), None)

    def _body(self, node: Any) -> Any:
        """Each run of a body costs a step and its text."""
        text = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        self.generic_visit(node)
        if isinstance(node, nodes.For) and node.test:
            node.test = _through("tick!", node.test, 0)
        nothing = nodes.Const(None, lineno=node.lineno)
        node.body.insert(0, nodes.ExprStmt(_through("tick!", nothing, text), lineno=node.lineno))
        return node

    def _built(self, node: nodes.Expr) -> nodes.Node:
        """A list or mapping is measured when it is written, unless it is constant."""
        self.generic_visit(node)
        parts = list(node.iter_child_nodes())
        is_target = getattr(node, "ctx", "load") != "load"
        if is_target or any(isinstance(part, nodes.Slice) for part in parts):
            return node
        if all(map(_is_constant, parts)):
            return node
        return _through("kept!", node)

    def _concat(self, node: nodes.Concat) -> nodes.Node:
        """`a ~ b` joins only texts."""
        self.generic_visit(node)
        node.nodes = [_through("plain!", item) for item in node.nodes]
        return _through("kept!", node)

    def _compared(self, node: nodes.Compare) -> nodes.Node:
        """`a == b` and `a in b` read their operands."""
        self.generic_visit(node)
        node.expr = _through("read!", node.expr)
        for operand in node.ops:
            operand.expr = _through("read!", operand.expr)
        return node

    def _sliced(self, node: nodes.Getitem) -> nodes.Node:
        """`a[1:]` is a copy."""
        self.generic_visit(node)
        return _through("kept!", node) if isinstance(node.arg, nodes.Slice) else node

    def _stored(self, node: nodes.Assign) -> nodes.Node:
        """A namespace stores values, not namespaces."""
        self.generic_visit(node)
        if isinstance(node.target, nodes.NSRef):
            node.node = _through("stored!", node.node)
        return node


def _is_constant(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Pair | nodes.List | nodes.Tuple | nodes.Dict):
        return all(map(_is_constant, node.iter_child_nodes()))
    return isinstance(node, nodes.Const)


def _through(name: str, node: nodes.Node, *args: int) -> nodes.Filter:
    line = node.lineno
    constants = [nodes.Const(arg, lineno=line) for arg in args]
    return nodes.Filter(node, name, constants, [], None, None, lineno=line)
