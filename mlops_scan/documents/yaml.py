"""YAML as positioned nodes, read from the parser's events: YAML 1.2 core scalars, any tag, merge keys, templates.

Nothing is constructed, so no tag can run code. The tree is built without recursion and aliases are shared, so neither
deep nesting nor an alias bomb costs more than the text itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from sys import intern
from typing import Any

import yaml
from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.documents.bounds import MAX_DEPTH, MAX_NODES, check_nodes, check_size, encodable, too_deep, unix_lines
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.documents.yaml_schema import TYPED_STARTS, custom_tag, scalar, tagged
from mlops_scan.documents.yaml_text import candidates, printable

_SHARED = 24  # characters; shorter values are words that repeat
_NESTING = "exceeded maximum nesting depth"
_MAX_MERGED = 200_000
_MAX_DOCUMENTS = 2_000  # of one text
_DEFINITION = "kind: CustomResourceDefinition"


def parse(text: str) -> tuple[Node, ...]:
    """Every document of a YAML text, in order; an empty text has none.

    Raises DocumentError for broken YAML (with the documents before it as `.partial`), for more than 2 MB and for
    nesting deeper than 200. Lines that start with `//` count as comments, and template tags are replaced by the word
    `TEMPLATE`, each only when the text does not parse otherwise. Of the definitions of Kubernetes' own resources the
    schemas are left out.
    """
    failure: DocumentError | None = None
    clean = printable(encodable(unix_lines(text.removeprefix("\ufeff"))))
    if _DEFINITION in clean:
        from mlops_scan.documents.manifests import without_schemas

        shorter = without_schemas(clean)
        if shorter != clean:
            with contextlib.suppress(DocumentError):
                check_size(shorter)
                return _read(shorter)
    check_size(text)
    for candidate in candidates(clean):
        try:
            return _read(candidate)
        except DocumentError as error:
            if failure is None:
                failure = error
            elif len(error.partial) > len(failure.partial):
                failure = DocumentError(failure.reason, failure.line, error.partial)
    assert failure is not None
    raise failure


def _read(text: str) -> tuple[Node, ...]:
    builder = _Builder(text)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        builder.build(loader(text))
    except DocumentError as error:
        raise DocumentError(error.reason, error.line, tuple(builder.documents)) from None
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        line = mark.line + 1 if mark else 0
        if _NESTING in reason:  # newer parsers have a bound of their own, for what they look ahead
            reason = too_deep(line).reason
        raise DocumentError(reason, line, tuple(builder.documents)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise DocumentError(str(error).split("\n")[0], 0, tuple(builder.documents)) from None
    return tuple(builder.documents)


class _Frame(Struct):
    """A mapping or sequence whose end has not been read yet; the outermost one is the text itself.

    `children` are the items of a sequence, the keys with their values of a mapping.
    """

    mapping: bool
    line: int
    end: int
    tag: str = ""
    anchor: str | None = None
    flow: bool = False
    key: str | None = None  # of the value to come; None where a key is to come
    key_line: int = 0
    height: int = 0  # of collections below it
    children: list[Any] = []
    merges: list[Node] = []


class _Builder:
    """Turns parser events into documents.

    Most of the time that YAML costs is spent here, a few microseconds for each of hundreds of thousands of events; so
    scalars, of which most events are, and what ends are added without further calls.
    """

    def __init__(self, text: str) -> None:
        self.documents: list[Node] = []
        self._text = text
        self._lines: list[str] | None = None
        self._last = text.count("\n") + 1
        self._templated = "{{" in text
        self._frame = _Frame(False, 1, 1, children=self.documents)
        self._outer: list[_Frame] = []
        self._anchors: dict[str, tuple[Node | None, int]] = {}
        self._merged = self._count = 0

    def build(self, loader: Any) -> None:
        """Take all events of a parser; raises DocumentError when a bound breaks, and what the parser raises."""
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._start,
        }
        following = loader.get_event
        try:
            while (event := following()) is not None:
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        finally:
            loader.dispose()

    def _start(self, event: Any) -> None:
        self._anchors.clear()
        if len(self.documents) >= _MAX_DOCUMENTS:
            raise DocumentError(f"more than {_MAX_DOCUMENTS} documents", event.start_mark.line + 1)

    def _open(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if len(self._outer) >= MAX_DEPTH:
            raise too_deep(line)
        anchor = event.anchor
        if anchor:
            self._anchors[anchor] = (None, 0)
        tag = event.tag
        self._outer.append(self._frame)
        mapping, flow = type(event) is yaml.MappingStartEvent, event.flow_style
        self._frame = _Frame(mapping, line, line, custom_tag(tag) if tag else "", anchor, flow)

    def _scalar(self, event: Any) -> None:
        text, line, last = event.value, event.start_mark.line + 1, self._last
        if line > last:  # an empty one may stand behind the text
            line = last
        frame = self._frame
        key = frame.key
        if key is None and frame.mapping:
            self._key(frame, event, text, line)
            return
        if len(text) < _SHARED:
            text = intern(text)
        style, value, tag = event.style or "", text, event.tag
        if tag:
            value, tag = tagged(event)
        elif not style and (not text or text[0] in TYPED_STARTS):
            value, tag = scalar(text), ""
        else:
            tag = ""
        end = event.end_mark.line + 1
        if style and style in "|>":
            end = self._block_end(line, event.end_mark)
        elif end > last:
            end = last
        # of equal numbers one object for all saves a tenth of the memory
        end = line if end == line else end
        key_line = line if key is None or frame.key_line == line else frame.key_line
        node = Node("scalar", line, end, key_line, value, text, tag, (), (), style)
        if event.anchor:
            self._anchors[event.anchor] = (node, 0)
        self._count += 1
        if self._count > MAX_NODES or (key is not None and key[:2] == "<<"):
            self._count -= 1
            self._add(node, 0, end)
            return
        if end > frame.end:
            frame.end = end
        if key is None:
            frame.children.append(node)
        else:
            frame.children.append((key, node))
            frame.key = None

    def _key(self, frame: _Frame, event: Any, text: str, line: int) -> None:
        frame.key, frame.key_line = intern(text), line  # a few hundred names make most of the keys of a repository
        if event.anchor:
            self._anchors[event.anchor] = (_text_node(text, line), 0)
        if text == "<<" and event.style:
            frame.key = "<<\0"  # a quoted `<<` is an ordinary key

    def _block_end(self, line: int, mark: Any) -> int:
        """The last line of a block scalar's text: its end mark stands behind the blank lines that follow."""
        if self._lines is None:
            self._lines = self._text.split("\n")
        end: int = min(mark.line + (1 if mark.column else 0), len(self._lines))
        while end > line and not self._lines[end - 1].strip():
            end -= 1
        return end if end > line else line

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line + 1
        node, height = self._anchors.get(event.anchor, (None, 0))
        if node is None:  # not defined, or an alias to a collection that contains it
            node, height = _text_node("*" + event.anchor, line), 0
        if len(self._outer) + height > MAX_DEPTH:
            raise too_deep(line)
        key_line = self._key_line(node.line)
        self._add(node if node.key_line == key_line else replace(node, key_line=key_line), height, line)

    def _close(self, event: Any) -> None:
        frame, outer = self._frame, self._outer.pop()
        self._frame = outer
        end = frame.end
        if frame.flow and event.end_mark.line + 1 > end and event.end_mark.column and _is_closed(event):
            end = event.end_mark.line + 1
        key = outer.key
        children, key_line = tuple(frame.children), frame.line if key is None else outer.key_line
        if not frame.mapping:
            node = Node("sequence", frame.line, end, key_line, None, "", frame.tag, (), children)
        else:
            if frame.merges:
                children = self._resolved(frame)
            node = Node("mapping", frame.line, end, key_line, None, "", frame.tag, children)
        height = frame.height or min(1, len(frame.children))
        if frame.anchor:
            self._anchors[frame.anchor] = (node, height)
        self._count += 1
        if self._count > MAX_NODES or (outer.mapping if key is None else key[:2] == "<<"):
            self._count -= 1
            self._add(node, height, end)
            return
        if height >= outer.height:
            outer.height = height + 1
        if end > outer.end:
            outer.end = end
        if key is None:
            outer.children.append(node)
        else:
            outer.children.append((key, node))
            outer.key = None

    def _key_line(self, line: int) -> int:
        """The line of the key that a value about to be added belongs to, or `line` outside mappings."""
        return line if self._frame.key is None else self._frame.key_line

    def _add(self, node: Node, height: int, end: int) -> None:
        self._count += 1
        check_nodes(self._count, node.line)
        frame = self._frame
        if height >= frame.height:
            frame.height = height + 1
        if end > frame.end:
            frame.end = end
        if not frame.mapping:
            frame.children.append(node)
        elif frame.key is None:
            if node.kind != "scalar" and self._templated:
                raise DocumentError("a template tag where a value is expected", node.line)
            frame.key = node.text if node.kind == "scalar" else ", ".join(node.strings() or node.keys())
            frame.key_line = node.line
        else:
            self._entry(frame, node)

    def _entry(self, frame: _Frame, node: Node) -> None:
        key, frame.key = frame.key or "", None
        if key == "<<":
            sources = node.items if node.kind == "sequence" else (node,)
            if all(source.kind == "mapping" for source in sources):
                frame.merges.extend(sources)
                return
        frame.children.append(("<<" if key == "<<\0" else key, node))

    def _resolved(self, frame: _Frame) -> tuple[tuple[str, Node], ...]:
        """The entries with merged ones in front: explicit keys win, then earlier sources."""
        taken = {name for name, _ in frame.children}
        merged: list[tuple[str, Node]] = []
        for source in frame.merges:
            self._merged += len(source.entries)
            if self._merged > _MAX_MERGED:
                raise DocumentError(f"merge keys expand to more than {_MAX_MERGED} entries", frame.line)
            last = dict(source.entries)
            merged.extend((name, node) for name, node in last.items() if name not in taken)
            taken.update(last)
        return (*merged, *frame.children)


def _is_closed(event: Any) -> bool:
    """Whether a collection ended with `]` or `}`: only such end marks cover characters, not the pair's in `[a: b]`."""
    start, end = event.start_mark, event.end_mark
    return (start.line, start.column) != (end.line, end.column)


def _text_node(text: str, line: int) -> Node:
    return Node("scalar", line, line, line, text, text)
