"""Parsed rules, kept in the user's cache folder: reading the YAML anew is a good part of a small scan.

The key is the content of the rules, so a changed rule is never missed. A cache that cannot be read or written is done
without.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Parse = Callable[[Path, str], Any]


def load(key: str, texts: Mapping[Path, str], parse: Parse, name: str = "rules") -> Iterator[tuple[Path, Any]]:
    """The parsed form of every text, from the cache when it holds this key; an empty key goes without the cache.

    `name` tells apart sets of rules that are kept side by side.
    """
    cached = _read(_file(name, key)) if key else None
    if cached is None or len(cached) != len(texts):
        cached = [parse(path, text) for path, text in texts.items()]
        if key:
            _write(_file(name, key), cached)
    yield from zip(texts, cached, strict=True)


def folder() -> Path:
    """Where the cache lies: the platform's cache folder for this program."""
    from platformdirs import user_cache_path

    return user_cache_path("mlops-scan", appauthor=False)


def _file(name: str, key: str) -> Path:
    return folder() / f"{name}-{key[:32]}.json"


def _read(file: Path) -> list[Any] | None:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, list) else None


def _write(target: Path, data: list[Any]) -> None:
    try:
        text = json.dumps(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        for old in target.parent.glob(f"{target.name.partition('-')[0]}-*.json"):
            old.unlink(missing_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(target)
    except (OSError, TypeError, ValueError):
        return  # a read-only home, or rules with dates: parsed again next time
