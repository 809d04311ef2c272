"""Configuration files: found upwards from the scanned path, checked key by key, weaker than the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mlops_scan.errors import ScanError
from mlops_scan.words import KINDS

SEVERITIES = ("error", "warning", "note")
FILE_NAMES = ("mlops-scan.toml", ".mlops-scan.yaml", ".mlops-scan.yml", "pyproject.toml")
_TABLE = "mlops-scan"
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file says; None means that it says nothing."""

    source: Path | None = None
    fail_below: int | None = None
    fail_on: str | None = None
    model: str | None = None
    kind: str | None = None
    component: str | None = None
    formats: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None


def load(path: Path) -> Config:
    """Read the file that the user named; a pyproject.toml needs a [tool.mlops-scan] table."""
    if not path.is_file():
        raise ScanError(f"the configuration file {path} does not exist")
    values = _read(path)
    if values is None:
        raise ScanError(f"{path} has no [tool.{_TABLE}] table")
    return _check(path, values)


def discover(start: Path) -> Config:
    """The nearest configuration at `start` or above it, up to the root of its git work tree."""
    for folder in _upwards(start.resolve()):
        for name in FILE_NAMES:
            path = folder / name
            if path.is_file() and (values := _read(path)) is not None:
                return _check(path, values)
    return Config()


def _upwards(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        yield folder
        if (folder / ".git").exists():
            return


def _read(path: Path) -> Mapping[str, Any] | None:
    """The file's settings; None for a pyproject.toml that has none."""
    if path.suffix not in (".toml", ".yaml", ".yml"):
        raise ScanError(f"{path} is not a .toml or .yaml file")
    text = _text(path)
    if path.name == "pyproject.toml" and _TABLE not in text:
        return None
    data = _parse_toml(path, text) if path.suffix == ".toml" else _parse_yaml(path, text)
    if path.name == "pyproject.toml":
        tool = data.get("tool")
        data = tool.get(_TABLE) if isinstance(tool, Mapping) else None
        if data is None:
            return None
    if not isinstance(data, Mapping):
        raise ScanError(f"{path}: expected a table of settings, found {_type_name(data)}")
    return data


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ScanError(f"{path} is larger than {_MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ScanError(f"cannot read {path}: {error}") from error


def _parse_toml(path: Path, text: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ScanError(f"{path} is not valid TOML: {error}") from error


def _parse_yaml(path: Path, text: str) -> Any:
    import yaml

    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ScanError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    return {} if data is None else data


def _check(path: Path, values: Mapping[str, Any]) -> Config:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _KEYS:
            raise ScanError(f"{path}: unknown key {str(key)!r}{_nearest(str(key), _KEYS)}")
        field, check = _KEYS[key]
        if field in found:
            raise ScanError(f"{path}: 'fail-below' and 'target-level' mean the same, keep one")
        try:
            found[field] = check(value)
        except ValueError as error:
            raise ScanError(f"{path}: {key!r} {error}") from error
    return Config(source=path, **found)


def _nearest(word: str, words: Mapping[str, Any] | tuple[str, ...]) -> str:
    near = get_close_matches(word.lower().replace("_", "-"), list(words), n=1)
    return f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(words))}"


def _type_name(value: object) -> str:
    names = {dict: "a table", list: "a list", str: "a string", bool: "a boolean", int: "an integer", float: "a float"}
    return names.get(type(value), type(value).__name__)


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be an integer, found {_type_name(value)}")
    if value < 0:
        raise ValueError("must not be negative")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be a non-empty string, found {_type_name(value)}")
    return value


def _strings(value: object) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
        raise ValueError("must be a list of non-empty strings")
    return tuple(items)


def _one_of(words: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        word = _string(value)
        if word not in words:
            raise ValueError(f"has the unknown value {word!r}{_nearest(word, words)}")
        return word

    return check


def _format_names(value: object) -> tuple[str, ...]:
    """Names only: a scanned repository's own configuration must not be able to name a file to write."""
    from mlops_scan.reports import FORMATS

    return tuple(map(_one_of(tuple(FORMATS)), _strings(value)))


_KEYS: Mapping[str, tuple[str, Callable[[object], Any]]] = {
    "fail-below": ("fail_below", _integer),
    "target-level": ("fail_below", _integer),
    "fail-on": ("fail_on", _one_of(SEVERITIES)),
    "model": ("model", _string),
    "kind": ("kind", _one_of(KINDS)),
    "component": ("component", _string),
    "format": ("formats", _format_names),
    "exclude": ("exclude", _strings),
    "select": ("select", _strings),
    "ignore": ("ignore", _strings),
}
