"""Configuration files: found upwards from the scanned path, checked key by key, weaker than the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.cli.keys import KEYS, SEVERITIES, nearest, type_name
from mlops_scan.errors import ScanError
from mlops_scan.given import read_text

__all__ = ["FILE_NAMES", "SEVERITIES", "Config", "discover", "inside", "load", "repository_root"]

FILE_NAMES = ("mlops-scan.toml", ".mlops-scan.yaml", ".mlops-scan.yml", "pyproject.toml")
_TABLE = "mlops-scan"
_MAX_BYTES = 1_000_000
_MAX_EXTENDS = 10


class Config(Struct, frozen=True):
    """What a configuration file says; None means that it says nothing. `origins` names each key's file and line."""

    source: Path | None = None
    fail_below: int | None = None
    fail_on: str | None = None
    thresholds: tuple[tuple[str, float], ...] | None = None
    no_regression: bool | None = None
    count_attestations: bool | None = None
    model: str | None = None
    kind: str | None = None
    component: str | None = None
    components: tuple[str, ...] | None = None
    formats: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    per_path_ignores: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    baseline: Path | None = None
    attestations: Path | None = None
    rules: tuple[Path, ...] | None = None
    rules_version: str | None = None
    plugins: bool | None = None
    origins: Mapping[str, str] = field(default_factory=dict)


def load(path: Path) -> Config:
    """Read the file that the user named; a pyproject.toml needs a [tool.mlops-scan] table."""
    if not path.is_file():
        raise ScanError(f"the configuration file {path} does not exist")
    return _load(path, ())


def discover(start: Path) -> Config:
    """The nearest configuration at `start` or above it, up to the root of its git work tree."""
    for folder in _upwards(start.resolve()):
        for name in FILE_NAMES:
            path = folder / name
            if path.is_file() and _read(path) is not None:
                return _load(path, ())
    return Config()


def repository_root(start: Path) -> Path:
    """The root of the git work tree around a scanned path, else the path itself."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), start)


def inside(path: Path, root: Path) -> bool:
    """Whether a file belongs to a repository, links resolved."""
    return path.resolve().is_relative_to(root.resolve())


def _upwards(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        yield folder
        if (folder / ".git").exists():
            return


def _load(path: Path, chain: tuple[Path, ...]) -> Config:
    """A file with what it extends below it."""
    if path.resolve() in chain:
        names = " -> ".join(item.name for item in (*chain[chain.index(path.resolve()) :], path))
        raise ScanError(f"{chain[-1]}: `extends` goes in a circle: {names}")
    if len(chain) > _MAX_EXTENDS:
        raise ScanError(f"{path}: more than {_MAX_EXTENDS} files extend one another")
    values = _read(path)
    if values is None:
        raise ScanError(f"{path} has no [tool.{_TABLE}] table")
    lines = _lines(path)
    own, origins, extended = _check(path, values, lines)
    merged: dict[str, Any] = {}
    places: dict[str, str] = {}
    for target in extended:
        where = origins["extends"]
        if not target.is_file():
            raise ScanError(f"{where}: 'extends' names {target}, which does not exist")
        root = repository_root(path.parent)
        if (root / ".git").exists() and not inside(target, root):
            raise ScanError(f"{where}: 'extends' names {target}, which lies outside the repository {root}")
        base = _load(target, (*chain, path.resolve()))
        merged.update({name: getattr(base, name) for name in base.origins if hasattr(base, name)})
        places.update(base.origins)
    origins.pop("extends", None)
    return Config(source=path, **{**merged, **own}, origins={**places, **origins})


def _read(path: Path) -> Mapping[str, Any] | None:
    """The file's settings; None for a pyproject.toml that has none."""
    if path.suffix not in (".toml", ".yaml", ".yml"):
        raise ScanError(f"{path} is not a .toml or .yaml file")
    text = read_text(path, _MAX_BYTES)
    if path.name == "pyproject.toml" and _TABLE not in text:
        return None
    data = _parse_toml(path, text) if path.suffix == ".toml" else _parse_yaml(path, text)
    if path.name == "pyproject.toml":
        tool = data.get("tool")
        data = tool.get(_TABLE) if isinstance(tool, Mapping) else None
        if data is None:
            return None
    if not isinstance(data, Mapping):
        raise ScanError(f"{path}: expected a table of settings, found {type_name(data)}")
    return data


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


def _lines(path: Path) -> dict[str, int]:
    """The line of every key, as far as the positioned parser can tell."""
    from mlops_scan.documents import toml, yaml
    from mlops_scan.documents.node import DocumentError, Node

    try:
        text = read_text(path, _MAX_BYTES)
        top: Node | None = toml.parse(text) if path.suffix == ".toml" else next(iter(yaml.parse(text)), None)
    except DocumentError:
        return {}
    if path.name == "pyproject.toml" and top is not None:
        top = top.path("tool", _TABLE)
    return {name: node.at for name, node in top.entries} if top is not None else {}


def _check(
    path: Path, values: Mapping[str, Any], lines: Mapping[str, int]
) -> tuple[dict[str, Any], dict[str, str], tuple[Path, ...]]:
    """The checked fields, where each stands, and the files that this one extends."""
    found: dict[str, Any] = {}
    origins: dict[str, str] = {}
    extended: tuple[Path, ...] = ()
    for key, value in values.items():
        where = f"{path}:{lines[key]}" if key in lines else str(path)
        if key not in KEYS:
            raise ScanError(f"{where}: unknown key {str(key)!r}{nearest(str(key), KEYS)}")
        rule = KEYS[key]
        if rule.field in found:
            raise ScanError(f"{where}: 'fail-below' and 'target-level' mean the same, keep one")
        try:
            checked = rule.check(value)
        except ValueError as error:
            raise ScanError(f"{where}: {key!r} {error}") from error
        if rule.is_path:
            checked = (
                tuple(path.parent / item for item in checked) if isinstance(checked, tuple) else path.parent / checked
            )
        origins[rule.field] = where
        if rule.field == "extends":
            extended = checked
        else:
            found[rule.field] = checked
    return found, origins, extended


def merged(settings: Config, given: Mapping[str, Any]) -> Config:
    """The configuration with every option that the command line gave in its place."""
    chosen = {name: value for name, value in given.items() if value is not None and value != ()}
    origins = {**settings.origins, **dict.fromkeys(chosen, "command line")}
    return replace(settings, **chosen, origins=origins)


def owned(settings: Config, root: Path, trust: bool) -> tuple[Config, tuple[str, ...]]:
    """The settings without what the scanned repository must not decide, and what the reader should know about it.

    A repository must not bring the rules that it is judged by, and may only name files of its own.

    Raises:
        ScanError: an option names rules inside the scanned repository without trust in them.
    """
    home = repository_root(root)
    notices: tuple[str, ...] = ()
    from_repository = settings.source is not None and inside(settings.source, home)
    if settings.rules and not trust:
        if settings.origins.get("rules") == "command line":
            own = next((path for path in settings.rules if inside(path, home)), None)
            if own is not None:
                raise ScanError(
                    f"the rules {own} belong to the scanned repository; --trust-repository-rules lets it bring its own"
                )
        elif from_repository or any(inside(path, home) for path in settings.rules):
            where = settings.origins.get("rules", settings.source)
            notices = (f"the rules named at {where} are not applied: they are the scanned repository's own",)
            settings = replace(settings, rules=None)
    for name in ("baseline", "attestations"):
        path = getattr(settings, name)
        outside = path is not None and from_repository and not inside(path, home)
        if outside and settings.origins.get(name) != "command line":
            raise ScanError(f"{settings.origins[name]}: {name!r} names {path}, which lies outside the repository")
    return settings, notices
