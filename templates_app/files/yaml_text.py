"""YAML as it is written and read here: plain data, in a stable order, of which nothing gets lost on the way.

It is the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): ``no`` is a word and ``12:30`` no
number. What another reader could take for something else is quoted all the same.
"""

import math
import re
from typing import Any

import yaml
from yaml.nodes import MappingNode, ScalarNode

#: A file is not larger, in bytes: nobody reads more, and no variant holds as much.
LARGEST = 2_000_000
DEEPEST = 50
#: What a block of lines can hold without a change: no other line breaks, no blanks at a line's end.
_BLOCK = re.compile(r"(?:[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff])*")
_FLOAT = re.compile(
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_CORE = (
    ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), [*"tTfF"]),
    ("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), [*"-+0123456789"]),
    ("tag:yaml.org,2002:float", _FLOAT, [*"-+.0123456789"]),
)


class NotReadable(Exception):
    """A text that is no YAML as it is read here. ``line`` counts from 1; 0 where no line is to blame."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Reader(yaml.SafeLoader):
    """No aliases, which could blow a small file up, no tags, and no name twice."""

    yaml_implicit_resolvers: Any = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise NotReadable("anchors and aliases are not read", event.start_mark.line + 1)
        if str(getattr(event, "tag", None) or "!").strip("!"):
            raise NotReadable("tags are not read", event.start_mark.line + 1)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        names: set[Any] = set()
        for key, _value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise NotReadable("a name has to be a word", line)
            if key.value in names:
                raise NotReadable(f"{key.value!r} stands there twice", line)
            names.add(key.value)
        # Names are texts in what is stored, whatever they look like.
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


class _Writer(yaml.SafeDumper):
    yaml_implicit_resolvers: Any = {
        key: [*rules] for key, rules in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _tag, _pattern, _first in _CORE:
    _Reader.add_implicit_resolver(_tag, _pattern, _first)
    _Writer.add_implicit_resolver(_tag, _pattern, _first)


def _integer(reader: _Reader, node: ScalarNode) -> int:
    if len(node.value) > 400:
        raise NotReadable("this number is too long", node.start_mark.line + 1)
    return int(node.value)


def _number(reader: _Reader, node: ScalarNode) -> float:
    value = float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(value):
        raise NotReadable("infinity and NaN are no numbers of JSON", node.start_mark.line + 1)
    return value


def _mapping(reader: _Reader, node: MappingNode) -> dict[Any, Any]:
    return reader.construct_mapping(node)


_Reader.add_constructor("tag:yaml.org,2002:int", _integer)
_Reader.add_constructor("tag:yaml.org,2002:float", _number)
_Reader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _text(writer: _Writer, value: str) -> ScalarNode:
    style = None
    if "\n" in value:
        is_plain = (
            _BLOCK.fullmatch(value)
            and not re.search(r"[ \t]\n|[ \t]$", value)
            and not value.startswith(("\n", " ", "\t"))
        )
        style = "|" if is_plain else '"'
    elif not _BLOCK.fullmatch(value):
        style = '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Writer.add_representer(str, _text)


def written(value: Any) -> str:
    """The text of plain JSON data, names in the order in which they come."""
    text: str = yaml.dump(
        value, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=math.inf, default_flow_style=False
    )
    return text


def read(text: str) -> Any:
    """The data in a text; raises :class:`NotReadable`."""
    try:
        value = yaml.load(text, Loader=_Reader)  # noqa: S506  (a safe loader, made stricter)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise NotReadable(str(error.problem or "this is no YAML"), line) from None
    except yaml.YAMLError as error:
        raise NotReadable(f"this is no YAML: {error}"[:200]) from None
    except (ValueError, OverflowError):
        raise NotReadable("this is no YAML: a sign has a number that no sign has") from None
    except RecursionError:
        raise NotReadable("this is nested too deeply") from None
    if _depth(value) > DEEPEST:
        raise NotReadable("this is nested too deeply")
    return value


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)
