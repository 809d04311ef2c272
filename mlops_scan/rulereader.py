"""Read rule files and check what they hold: what does not follow the format of `rules/README.md` is a `RuleError`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from mlops_scan.errors import RuleError
from mlops_scan.given import read_text
from mlops_scan.regex import regex

_Choice = TypeVar("_Choice", bound=Enum)
_LINE_END = regex(r":\d+$")
_SECTIONS = ("tools", "practices", "models", "findings")
_MAX_BYTES = 2_000_000  # of one rule file of a user


class Marked(dict[str, Any]):
    """A mapping of a user's rule file that knows its line."""

    line = 0


def at(path: Path, entry: object) -> Path:
    """The path with the line of an entry (`tools.yaml:12`), for messages; the path alone where no line is known."""
    line = entry.line if isinstance(entry, Marked) else 0
    return Path(f"{_LINE_END.sub('', str(path))}:{line}") if line else path


def document(path: Path, content: bytes) -> dict[str, Any]:
    """The top mapping of a built-in rule file; a list at its top is that of the section, the name of its folder.

    Raises:
        RuleError: it is no text or no valid YAML.
    """
    try:
        data = _parse(path, content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RuleError(f"{path}: cannot be read: {error}") from error
    if isinstance(data, list):
        data = {path.parent.name: data}
    if not isinstance(data, dict):
        raise RuleError(f"{path}: expected a mapping at the top")
    return data


def user_files(target: Path) -> list[Path]:
    """The rule files that a user's path names: itself, or those below it."""
    return [target] if target.is_file() else sorted(p for p in target.rglob("*") if p.suffix in (".yaml", ".yml"))


def user_documents(target: Path, digest: Any) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """The sections (`tools`, `practices`, `models`, `findings`) of a user's rule file, or of every one in a folder.

    A folder may be laid out like the built-in rules, or hold files with any of the sections at their top.

    Raises:
        RuleError: the path does not exist, holds no rules, or a file cannot be read.
    """
    if not target.exists():
        raise RuleError(f"the rules {target} do not exist")
    paths = user_files(target)
    if not paths:
        raise RuleError(f"{target} holds no rule file (*.yaml)")
    for path in paths:
        text = read_text(path, _MAX_BYTES, error=RuleError)
        digest.update(f"{path.name}\0{text}\0".encode())
        data = _parse_marked(path, text)
        found = [name for name in _SECTIONS if name in data]
        if "levels" in data:
            yield "models", path, data
        elif found:
            check_keys(data, {*_SECTIONS, "family"}, "the file", path)
            yield from ((name, path, data) for name in found)
        else:
            raise RuleError(f"{path}: expected {', '.join(f'`{name}:`' for name in _SECTIONS)} or a maturity model")


def _parse_marked(path: Path, text: str) -> dict[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """Keeps the line of every mapping and refuses a key that is given twice."""

        def construct_yaml_map(self, node: yaml.MappingNode) -> Generator[dict[Any, Any], None, None]:
            made = Marked()
            made.line = node.start_mark.line + 1
            yield made
            self.flatten_mapping(node)
            for key_node, value_node in node.value:
                key = str(self.construct_object(key_node, deep=True))
                if key in made:
                    raise RuleError(f"{path}:{key_node.start_mark.line + 1}: the key `{key}` is given twice")
                made[key] = self.construct_object(value_node, deep=True)

    Loader.add_constructor("tag:yaml.org,2002:map", Loader.construct_yaml_map)
    try:
        data = yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleError(f"{path}:{line}: not valid YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RuleError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise RuleError(f"{path}: expected a mapping at the top")
    return data


def _parse(path: Path, text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise RuleError(f"{path}: not valid YAML: {error}") from error


def entries(data: Mapping[str, Any], key: str, path: Path, needed: bool = True) -> list[dict[str, Any]]:
    """The list of mappings under a key."""
    found = data.get(key)
    if found is None and not needed:
        return []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise RuleError(f"{at(path, data)}: expected a list of mappings under `{key}:`{_of(data)}")
    return found


def mapping(data: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    """The mapping under a key, an empty one where the key is missing."""
    value = data.get(key)
    if value is not None and not isinstance(value, dict):
        raise RuleError(f"{at(path, data)}: expected a mapping under `{key}:`{_of(data)}")
    return value or {}


def required(entry: Mapping[str, Any], key: str, path: Path) -> Any:
    """The value of a key that an entry must have."""
    if key not in entry:
        raise RuleError(f"{at(path, entry)}: `{entry.get('id', entry)}` lacks `{key}`")
    return entry[key]


def texts(value: Any) -> tuple[str, ...]:
    """One value or a list of them as texts."""
    if value is None:
        return ()
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)


def constant(value: Any) -> str:
    """A constant as the facts of code write it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def keywords(value: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Keywords of a call, each with the constants that are accepted for it; none where presence is enough."""
    return tuple(
        (str(name), () if wanted is True else tuple(constant(item) for item in _listed(wanted)))
        for name, wanted in value.items()
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def choice(kind: type[_Choice], value: Any, what: str, path: Path) -> _Choice:
    """The member of `kind` that a value names."""
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(str(member.value) for member in kind)
        raise RuleError(f"{path}: {what} is {value!r}, expected one of {known}") from error


def checked_number(value: Any, what: str, path: Path) -> float:
    """A value that must be a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RuleError(f"{path}: {what} is {value!r}, expected a number")
    return value


def check_keys(entry: Mapping[str, Any], known: AbstractSet[str], what: str, path: Path) -> None:
    """Refuse keys that nothing reads: a misspelt one would be lost without a word."""
    for key in entry:
        if key not in known:
            raise RuleError(f"{at(path, entry)}: {what} has the unknown key {key!r}{hint(key, known)}")


def hint(name: object, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the known one that it resembles."""
    from difflib import get_close_matches

    near = get_close_matches(str(name), sorted(known), 1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _of(entry: Mapping[str, Any]) -> str:
    name = entry.get("id") or entry.get("title") or entry.get("serves") or entry.get("does")
    return f" of `{name}`" if name else ""
