"""Which variables a source uses, where, and as what: read from its syntax tree, and never rendered.

MiniJinja, which renders, names the variables of a source but does not follow ``item`` of a loop to the list that it
comes from. Jinja2 reads nearly the same language into a tree with lines; what only MiniJinja understands falls back to
the plain names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes

from templates_app.render import undeclared

#: Functions of the engine, which look like variables to it.
ENGINE = frozenset(
    {"range", "dict", "namespace", "cycler", "joiner", "debug", "loop", "self", "super", "caller"}
)
#: Stands for each item of a list in a path.
EACH = "[]"

Path = tuple[str, ...]
#: What a name of this place stands for; None for what comes from no parameter.
Scope = dict[str, Path | None]

#: What a filter is told of: the kind of value that it makes sense on.
KINDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("upper", "lower", "title", "capitalize", "trim", "replace", "truncate", "urlencode", "split"),
        "string",
    ),
    **dict.fromkeys(("round", "abs"), "number"),
    **dict.fromkeys(
        (
            "join",
            "first",
            "last",
            "sort",
            "unique",
            "map",
            "select",
            "reject",
            "selectattr",
            "rejectattr",
            "batch",
        ),
        "array",
    ),
    **dict.fromkeys(("items", "dictsort"), "object"),
}
#: Filters whose result is made of the same items.
SAME_ITEMS = frozenset(
    {
        "sort",
        "unique",
        "reverse",
        "list",
        "select",
        "reject",
        "selectattr",
        "rejectattr",
        "slice",
        "safe",
        "default",
        "d",
    }
)
COMPARED = frozenset({"gt", "gteq", "lt", "lteq"})
SUMS = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One place where a variable is used.

    ``path`` leads from a parameter inwards, :data:`EACH` being any item of a list. ``kind`` is the JSON type that the
    place suggests, empty where it suggests none. It ``is_optional`` where the source asks first whether there is one,
    or has something else to say; it ``is_whole`` where all that lies below is used, too.
    """

    path: Path
    line: int = 0
    kind: str = ""
    is_optional: bool = False
    is_whole: bool = True

    @property
    def name(self) -> str:
        """As people write it: ``order.lines[].price``."""
        return written(self.path)


def written(path: Sequence[str]) -> str:
    """``order.lines[].price`` for its path."""
    return "".join(step if step == EACH or place == 0 else f".{step}" for place, step in enumerate(path))


@lru_cache(maxsize=512)
def uses(source: str) -> tuple[Use, ...]:
    """Every use of a parameter in a source, in its order; empty where it is no template."""
    reading = _Reading()
    try:
        reading.read_all(_reader().parse(source).body)
    except (TemplateSyntaxError, RecursionError, ValueError):  # the last for a number of thousands of digits
        return _plain(source)
    return tuple(reading.found)


@lru_cache(maxsize=1)
def _reader() -> Environment:
    return Environment(  # noqa: S701  (nothing is ever rendered by it)
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"]
    )


def _plain(source: str) -> tuple[Use, ...]:
    lines = source.splitlines()

    def line_of(name: str) -> int:
        return next((number for number, line in enumerate(lines, 1) if name in line), 0)

    return tuple(Use(path=(name,), line=line_of(name)) for name in sorted(undeclared(source) - ENGINE))


class _Reading:
    """A walk through one tree. Each ``_…`` method for an expression gives the path that it leads to, or None."""

    def __init__(self) -> None:
        self.found: list[Use] = []
        self._scope: Scope = {}
        self._asked: list[set[Path]] = []

    def read_all(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            self._statement(node)

    # -- statements

    def _statement(self, node: nodes.Node) -> None:
        match node:
            case nodes.Output():
                for each in node.nodes:
                    self._use(each)
            case nodes.If():
                self._if(node)
            case nodes.For():
                self._for(node)
            case nodes.With():
                self._with(node)
            case nodes.Macro() | nodes.CallBlock():
                self._macro(node)
            case _:
                self._naming(node)

    def _naming(self, node: nodes.Node) -> None:
        """A statement that gives something a name in its place; or any other."""
        match node:
            case nodes.Assign():
                self._bind(node.target, self._path_or_use(node.node))
            case nodes.AssignBlock():
                self.read_all(node.body)
                self._bind(node.target, None)
            case nodes.Import():
                self._scope[node.target] = None
            case nodes.FromImport():
                self._scope.update((each if isinstance(each, str) else each[1], None) for each in node.names)
            case _:
                self._anything(node)

    def _anything(self, node: nodes.Node) -> None:
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Expr):
                self._use(child)
            else:
                self._statement(child)

    def _if(self, node: nodes.If) -> None:
        asked = self._ask(node.test)
        self._guarded(asked, node.body)
        for each in node.elif_:
            self._if(each)
        self.read_all(node.else_)

    def _guarded(self, asked: set[Path], body: Iterable[nodes.Node]) -> None:
        self._asked.append(asked)
        self.read_all(body)
        self._asked.pop()

    def _for(self, node: nodes.For) -> None:
        items = self._iterated(node.iter)
        before = dict(self._scope)
        self._scope["loop"] = None
        self._bind(node.target, (*items, EACH) if items is not None else None)
        asked = self._ask(node.test) if node.test else set()
        self._guarded(asked, node.body)
        self._scope = before
        self.read_all(node.else_)

    def _iterated(self, node: nodes.Node) -> Path | None:
        if (
            isinstance(node, nodes.Call)
            and isinstance(node.node, nodes.Getattr)
            and node.node.attr in {"items", "values"}
        ):
            self._use(node.node.node, kind="object")
            return None
        if isinstance(node, nodes.Filter) and node.name in {"items", "dictsort"} and node.node is not None:
            self._use(node.node, kind="object")
            return None
        path = self._path(node)
        if path is not None:
            self._note(path, node, kind="array", is_whole=False)
        return path

    def _with(self, node: nodes.With) -> None:
        before = dict(self._scope)
        for target, value in zip(node.targets, node.values, strict=True):
            self._bind(target, self._path_or_use(value))
        self.read_all(node.body)
        self._scope = before

    def _macro(self, node: nodes.Macro | nodes.CallBlock) -> None:
        for each in node.defaults:
            self._use(each)
        if isinstance(node, nodes.CallBlock):
            self._use(node.call)
        else:
            self._scope[node.name] = None
        before = dict(self._scope)
        self._scope.update((each.name, None) for each in node.args)
        self.read_all(node.body)
        self._scope = before

    def _bind(self, target: nodes.Node, path: Path | None) -> None:
        if isinstance(target, nodes.Name):
            self._scope[target.name] = path
        elif isinstance(target, nodes.Tuple):
            for each in target.items:
                self._bind(each, None)

    # -- expressions

    def _use(self, node: nodes.Node, *, kind: str = "", is_optional: bool = False) -> None:
        path = self._path(node)
        if path is not None:
            self._note(path, node, kind=kind, is_optional=is_optional)

    def _path_or_use(self, node: nodes.Node) -> Path | None:
        """The path of a plain one, to stand for the name that it is given; any other is read and gone."""
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            path = self._path(node)
            if path is not None:
                self._note(path, node, is_whole=False)
            return path
        self._use(node)
        return None

    def _note(
        self,
        path: Path,
        node: nodes.Node,
        *,
        kind: str = "",
        is_optional: bool = False,
        is_whole: bool = True,
    ) -> None:
        optional = is_optional or self._is_asked_for(path)
        self.found.append(
            Use(path=path, line=node.lineno, kind=kind, is_optional=optional, is_whole=is_whole)
        )

    def _is_asked_for(self, path: Path) -> bool:
        return any(path[: len(each)] == each for asked in self._asked for each in asked)

    def _path(self, node: nodes.Node) -> Path | None:
        """Where an expression leads; whatever else stands in it is noted on the way."""
        match node:
            case nodes.Name():
                if node.name in self._scope:
                    return self._scope[node.name]
                return None if node.name in ENGINE else (node.name,)
            case nodes.Getattr():
                return self._step(node.node, node.attr)
            case nodes.Getitem():
                return self._item(node)
            case nodes.Filter():
                return self._filter(node)
        self._read(node)
        return None

    def _read(self, node: nodes.Node) -> None:
        """An expression whose value is a new one, and leads nowhere."""
        match node:
            case nodes.Test():
                self._test(node)
            case nodes.Call():
                self._call(node)
            case nodes.CondExpr():
                self._choice(node)
            case nodes.Or() | nodes.And():
                self._use(node.left, is_optional=True)
                self._use(node.right, is_optional=isinstance(node, nodes.And))
            case nodes.Not():
                self._ask(node)
            case nodes.Compare():
                self._compare(node)
            case _ if isinstance(node, SUMS):
                self._sum(node)
            case _:
                self._anything(node)

    def _step(self, node: nodes.Node, name: str) -> Path | None:
        path = self._path(node)
        return None if path is None else (*path, name)

    def _item(self, node: nodes.Getitem) -> Path | None:
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._step(node.node, node.arg.value)
        if isinstance(node.arg, nodes.Slice):
            self._anything(node.arg)
            return self._path(node.node)
        self._use(node.arg)
        return self._step(node.node, EACH)

    def _filter(self, node: nodes.Filter) -> Path | None:
        for each in (*node.args, *(each.value for each in node.kwargs)):
            self._use(each)
        if node.node is None:  # of a filter block, whose body is read as statements
            return None
        path = self._path(node.node)
        if path is None:
            return None
        if node.name in {"default", "d"}:
            self._note(path, node, kind=_kind_of(node.args), is_optional=True)
            return None
        kind = KINDS.get(node.name, "")
        if node.name in SAME_ITEMS:
            return path
        if node.name in {"first", "last"}:
            return (*path, EACH)
        if node.name == "map" and (attribute := _attribute(node)):
            self._note(path, node, kind="array", is_whole=False)
            self._note((*path, EACH, *attribute), node)
            return None
        self._note(path, node, kind=kind, is_whole=node.name not in {"length", "count"})
        return None

    def _test(self, node: nodes.Test) -> None:
        for each in node.args:
            self._use(each)
        path = self._path(node.node)
        if path is not None:
            kind = {"number": "number", "string": "string"}.get(node.name, "")
            asks = node.name in {"defined", "undefined", "none"}
            self._note(path, node, kind=kind, is_optional=asks, is_whole=False)

    def _call(self, node: nodes.Call) -> None:
        called = node.node
        if isinstance(called, nodes.Getattr):  # a method of a value
            self._use(called.node)
        else:
            self._use(called)
        for each in (*node.args, *(each.value for each in node.kwargs)):
            self._use(each)

    def _choice(self, node: nodes.CondExpr) -> None:
        self._asked.append(self._ask(node.test))
        self._use(node.expr1)
        self._asked.pop()
        if node.expr2 is not None:
            self._use(node.expr2)

    def _compare(self, node: nodes.Compare) -> None:
        operand = node.ops[0]
        left, right = node.expr, operand.expr
        is_ordered = operand.op in COMPARED
        for one, other in ((left, right), (right, left)):
            kind = _kind_of([other]) or (
                "number" if is_ordered and not isinstance(other, nodes.Const) else ""
            )
            if operand.op in {"in", "notin"}:
                kind = "" if one is right else _kind_of([other])
            self._use(one, kind=kind)
        for each in node.ops[1:]:
            self._use(each.expr)

    def _sum(self, node: nodes.BinExpr) -> None:
        is_text = any(_kind_of([each]) == "string" for each in (node.left, node.right))
        for each in (node.left, node.right):
            self._use(each, kind="string" if is_text else "number")

    def _ask(self, node: nodes.Node) -> set[Path]:
        """Note what a condition uses, and give the paths that it makes sure of."""
        if isinstance(node, nodes.And):
            return self._ask(node.left) | self._ask(node.right)
        if isinstance(node, nodes.Or | nodes.Not):
            for each in node.iter_child_nodes():
                self._ask(each)
            return set()
        if isinstance(node, nodes.Test) and node.name in {"defined", "undefined", "none"}:
            self._test(node)
            path = self._quietly(node.node)
            return {path} if path is not None and node.name == "defined" else set()
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            path = self._path(node)
            if path is None:
                return set()
            self._note(path, node, is_optional=True, is_whole=False)
            return {path}
        self._use(node)
        return set()

    def _quietly(self, node: nodes.Node) -> Path | None:
        """The path alone: what stands in it was noted before."""
        before = len(self.found)
        path = self._path(node)
        del self.found[before:]
        return path


def _kind_of(values: Sequence[nodes.Node]) -> str:
    """The JSON type of a constant; empty for what is none."""
    value = values[0].value if values and isinstance(values[0], nodes.Const) else None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else ""


def _attribute(node: nodes.Filter) -> Path:
    for each in node.kwargs:
        if each.key == "attribute" and isinstance(each.value, nodes.Const):
            return tuple(str(each.value.value).split("."))
    return ()
