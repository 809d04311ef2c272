"""Write what a plan proposes: new files, and new keys in existing YAML files whose comments and order survive.

Nothing that exists is ever replaced. All contents are made before the first file is written.
"""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from mlops_scan.errors import ScanError
from mlops_scan.given import read_text
from mlops_scan.regex import regex
from mlops_scan.rulebook import Scaffold

_MAX_BYTES = 1_000_000
_LISTS = regex(r"^( *)[^\s#-][^\n]*:[ ]*\n\1(  )?- ", re.M)


class Change(Struct, frozen=True):
    """One file to write: what it holds now (None: it does not exist) and then."""

    path: str
    before: str | None
    after: str


def changes(
    root: Path, scaffolds: Iterable[Scaffold], values: Mapping[str, str]
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The files to write below `root`, and what was left alone and why.

    Raises:
        ScanError: an existing YAML file that should be added to cannot be read.
    """
    found: dict[str, Change] = {}
    skipped: list[str] = []
    for scaffold in dict.fromkeys(scaffolds):
        text = scaffold.text
        for name, value in values.items():
            text = text.replace(f"%{name}%", value)
        known = found.get(scaffold.path)
        current = known.after if known is not None else _current(root, scaffold.path)
        if current is None:
            found[scaffold.path] = Change(scaffold.path, None, text)
        elif scaffold.merge:
            merged, left = _merged(current, text, scaffold.path)
            skipped += [f"{scaffold.path}: `{name}` is there already" for name in left]
            if merged != current:
                before = known.before if known is not None else current
                found[scaffold.path] = Change(scaffold.path, before, merged)
        elif known is None:
            skipped.append(f"{scaffold.path} is there already")
    return tuple(found[path] for path in sorted(found)), tuple(skipped)


def diff(change: Change) -> str:
    """The change as a unified diff."""
    lines = difflib.unified_diff(
        (change.before or "").splitlines(keepends=True),
        change.after.splitlines(keepends=True),
        f"a/{change.path}" if change.before is not None else "/dev/null",
        f"b/{change.path}",
    )
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def write(root: Path, changed: Iterable[Change]) -> None:
    """Write all files below `root`; a file that has appeared or changed meanwhile is not touched.

    Raises:
        ScanError: a path leads out of the folder, or cannot be written.
    """
    todo = [(_target(root, change.path), change) for change in changed]
    for target, change in todo:
        if change.before is None and target.exists():
            raise ScanError(f"{target} has appeared meanwhile; nothing was written")
    for target, change in todo:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if change.before is None:
                with target.open("x", encoding="utf-8", newline="") as stream:
                    stream.write(change.after)
            else:
                target.write_text(change.after, encoding="utf-8", newline="")
        except OSError as error:
            raise ScanError(f"cannot write {target}: {error.strerror or error}") from error


def _target(root: Path, path: str) -> Path:
    target = root / path
    if not target.parent.resolve().is_relative_to(root.resolve()) or target.is_symlink():
        raise ScanError(f"{target} leads out of {root}; nothing was written")
    return target


def _current(root: Path, path: str) -> str | None:
    target = _target(root, path)
    if not target.exists():
        return None
    return read_text(target, _MAX_BYTES, encoding="utf-8")


def _merged(current: str, addition: str, path: str) -> tuple[str, list[str]]:
    """The YAML text with the new keys added at the top or one level below; and the keys that were there."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    lists = _LISTS.search(current)
    flat = lists is not None and lists[2] is None
    yaml.indent(mapping=2, sequence=2 if flat else 4, offset=0 if flat else 2)
    try:
        base = yaml.load(current)
    except (YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split())[:200]
        raise ScanError(f"{path} cannot be added to, it is not valid YAML: {problem}") from error
    new = YAML().load(addition)
    if base is None:
        return current.rstrip("\n") + "\n" * bool(current) + addition, []
    if not isinstance(base, CommentedMap):
        return current, [path]
    left = _add(base, new, deep=True)
    if left and not any(name in base and name not in left for name in new) and _count(new) == len(left):
        return current, left
    out = io.StringIO()
    yaml.dump(base, out)
    return out.getvalue(), left


def _add(base: Any, new: Any, deep: bool) -> list[str]:
    left = []
    for name, value in new.items():
        if name not in base:
            base[name] = value
        elif deep and hasattr(base[name], "items") and name == "stages":
            left += [f"{name}.{item}" for item in _add(base[name], value, deep=False)]
        else:
            left.append(str(name))
    return left


def _count(new: Any) -> int:
    return sum(len(value) if name == "stages" else 1 for name, value in new.items())
