"""The keys of the configuration file: name, check, meaning. Everything that reads or documents them starts here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from mlops_scan.words import KINDS

SEVERITIES = ("error", "warning", "note")
THRESHOLDS = ("max-errors", "max-warnings", "max-notes", "min-progress")
_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}


class Key(Struct, frozen=True):
    """One key: the field of `Config` that it fills, what checks it, its JSON Schema and its meaning."""

    field: str
    check: Callable[[object], Any]
    schema: Mapping[str, Any]
    meaning: str
    default: object = None
    is_path: bool = False


def nearest(word: str, words: Mapping[str, Any] | tuple[str, ...]) -> str:
    """The end of a message about an unknown word."""
    from difflib import get_close_matches

    near = get_close_matches(word.lower().replace("_", "-"), list(words), n=1)
    return f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(words))}"


def type_name(value: object) -> str:
    """What a value of a configuration file is called."""
    names = {dict: "a table", list: "a list", str: "a string", bool: "a boolean", int: "an integer", float: "a float"}
    return names.get(type(value), type(value).__name__)


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be an integer, found {type_name(value)}")
    if value < 0:
        raise ValueError("must not be negative")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, found {type_name(value)}")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be a non-empty string, found {type_name(value)}")
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
            raise ValueError(f"has the unknown value {word!r}{nearest(word, words)}")
        return word

    return check


def _format_names(value: object) -> tuple[str, ...]:
    """Names only: a scanned repository's own configuration must not be able to name a file to write."""
    from mlops_scan.reports import FORMATS

    return tuple(map(_one_of(tuple(FORMATS)), _strings(value)))


def _ids_by_glob(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a table of path patterns with finding ids, found {type_name(value)}")
    return tuple((_string(glob), _strings(ids)) for glob, ids in value.items())


def _thresholds(value: object) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a table, found {type_name(value)}")
    found = []
    for name, limit in value.items():
        if name not in THRESHOLDS:
            raise ValueError(f"has the unknown key {name!r}{nearest(str(name), THRESHOLDS)}")
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit < 0:
            raise ValueError(f"needs a number of at least 0 for {name!r}, found {limit!r}")
        if name == "min-progress" and limit > 1:
            raise ValueError(f"needs a share from 0 to 1 for 'min-progress', found {limit!r}")
        found.append((str(name), float(limit)))
    return tuple(found)


_LEVEL = Key("fail_below", _integer, {"type": "integer", "minimum": 0}, "exit 1 below this level")

KEYS: Mapping[str, Key] = {
    "fail-below": _LEVEL,
    "target-level": _LEVEL,
    "fail-on": Key(
        "fail_on", _one_of(SEVERITIES), {"enum": list(SEVERITIES)}, "exit 1 on a finding this severe or worse"
    ),
    "thresholds": Key(
        "thresholds",
        _thresholds,
        {
            "type": "object",
            "properties": {name: {"type": "number", "minimum": 0} for name in THRESHOLDS},
            "additionalProperties": False,
        },
        "exit 1 with more findings of a severity than this, or less progress (0 to 1) to the next level",
        (),
    ),
    "no-regression": Key(
        "no_regression", _boolean, {"type": "boolean"}, "exit 1 below the baseline's level or on a new finding", False
    ),
    "count-attestations": Key(
        "count_attestations", _boolean, {"type": "boolean"}, "gates use the level with attestations", False
    ),
    "model": Key("model", _string, _TEXT, "maturity model to judge by", "default"),
    "kind": Key("kind", _one_of(KINDS), {"enum": list(KINDS)}, "what the repository is, instead of a guess"),
    "component": Key("component", _string, _TEXT, "component that the headline speaks of"),
    "components": Key("components", _strings, _TEXTS, "folders that are components, instead of a guess", ()),
    "format": Key("formats", _format_names, _TEXTS, "report formats", ("text",)),
    "exclude": Key("exclude", _strings, _TEXTS, "files to leave out (.gitignore syntax)", ()),
    "select": Key("select", _strings, _TEXTS, "report only these findings", ()),
    "ignore": Key("ignore", _strings, _TEXTS, "do not report these findings", ()),
    "per-path-ignores": Key(
        "per_path_ignores",
        _ids_by_glob,
        {"type": "object", "additionalProperties": _TEXTS},
        "findings not to report below a path (.gitignore syntax)",
        (),
    ),
    "baseline": Key("baseline", _string, _TEXT, "file of findings that are known", is_path=True),
    "attestations": Key("attestations", _string, _TEXT, "file of what people attest", is_path=True),
    "rules": Key("rules", _strings, _TEXTS, "files and folders of rules of your own", (), is_path=True),
    "rules-version": Key("rules_version", _string, _TEXT, "the version of the rules to judge by; another is an error"),
    "plugins": Key("plugins", _boolean, {"type": "boolean"}, "use detectors and reports of other packages", True),
    "extends": Key("extends", _strings, _TEXTS, "configuration files that this one adds to", (), is_path=True),
}


def schema() -> dict[str, Any]:
    """The JSON Schema of the configuration file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mlops-scan:config:1",
        "title": "mlops-scan configuration: mlops-scan.toml, .mlops-scan.yaml or [tool.mlops-scan] in pyproject.toml",
        "type": "object",
        "properties": {name: {**key.schema, "description": key.meaning} for name, key in KEYS.items()},
        "additionalProperties": False,
    }
