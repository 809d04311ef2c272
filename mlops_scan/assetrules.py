"""Where code and configuration name the models, data sets and endpoints they use: the rules in `rules/assets`."""

# Annotations are evaluated here: see `ruletypes`.

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from mlops_scan.errors import RuleError
from mlops_scan.rulereader import check_keys, constant, entries, keywords, mapping, required, texts

KINDS = frozenset({"model", "dataset", "service"})
_KEYS = {
    "id", "kind", "origin", "tool", "calls", "keys", "files", "commands", "imports", "with", "without", "except",
    "name", "version", "samples",
}  # fmt: skip
_SAMPLE_KEYS = {"path", "text", "expect"}


class AssetSample(Struct, frozen=True, array_like=True):
    """A file and what the rule must find in it, as `name` or `name@version`; empty for must-not-match."""

    path: str
    text: str
    expect: tuple[str, ...]


class AssetRule(Struct, frozen=True, array_like=True):
    """A call, a document or a command that names an asset.

    `name` and `version` say where the name stands: positions (`0`) and keywords of a call, key paths of a document,
    options (`--model`) or positions of a command. The first that holds a constant counts.
    """

    id: str
    kind: str  # one of KINDS
    origin: str  # pretrained, hosted, registered, hub, store, pointer …
    tool: str
    calls: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    commands: tuple[str, ...]
    imports: tuple[str, ...]
    required: tuple[tuple[str, tuple[str, ...]], ...]  # keyword -> accepted constants, empty: present
    refused: tuple[tuple[str, tuple[str, ...]], ...]
    excepted: frozenset[str]  # names that are none: the format of a file, say
    name: tuple[str, ...]
    version: tuple[str, ...]
    samples: tuple[AssetSample, ...]


def asset_rule(entry: Mapping[str, Any], path: Path) -> AssetRule:
    """The checked rule that an entry holds.

    Raises:
        RuleError: it does not follow the format of `rules/README.md`.
    """
    name = str(required(entry, "id", path))
    check_keys(entry, _KEYS, f"asset `{name}`", path)
    kind = str(required(entry, "kind", path))
    if kind not in KINDS:
        raise RuleError(f"{path}: the kind of asset `{name}` is {kind!r}, expected one of {', '.join(sorted(KINDS))}")
    if sum(1 for key in ("calls", "keys", "commands") if entry.get(key)) != 1:
        raise RuleError(f"{path}: asset `{name}` needs exactly one of calls, keys, commands")
    return AssetRule(
        id=name,
        kind=kind,
        origin=str(required(entry, "origin", path)),
        tool=str(required(entry, "tool", path)),
        calls=texts(entry.get("calls")),
        keys=tuple((str(k), "" if v is True else constant(v)) for k, v in mapping(entry, "keys", path).items()),
        files=texts(entry.get("files")),
        commands=texts(entry.get("commands")),
        imports=texts(entry.get("imports")),
        required=keywords(mapping(entry, "with", path)),
        refused=keywords(mapping(entry, "without", path)),
        excepted=frozenset(texts(entry.get("except"))),
        name=texts(required(entry, "name", path)),
        version=texts(entry.get("version")),
        samples=tuple(_sample(sample, name, path) for sample in entries(entry, "samples", path)),
    )


def _sample(entry: Mapping[str, Any], rule: str, path: Path) -> AssetSample:
    check_keys(entry, _SAMPLE_KEYS, f"a sample of asset `{rule}`", path)
    return AssetSample(
        str(required(entry, "path", path)), str(required(entry, "text", path)), texts(required(entry, "expect", path))
    )
