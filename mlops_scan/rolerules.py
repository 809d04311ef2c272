"""The rules of `rules/roles`: how paths, and the head of a file, show what a file is."""

# Annotations are evaluated here: see `ruletypes`.

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from mlops_scan.errors import RuleError
from mlops_scan.rulereader import check_keys, choice, mapping, required, texts
from mlops_scan.words import Role

_KEYS = {"id", "folders", "nested", "names", "suffixes", "markers", "samples"}
_SAMPLES = {"match", "other", "marked", "unmarked"}


class RoleRule(Struct, frozen=True, array_like=True):
    """How paths show one role, in lower case. Each list is an alternative; `*` and `[…]` in names as in a shell."""

    role: Role
    folders: tuple[str, ...] = ()  # names of a folder on the way
    nested: tuple[str, ...] = ()  # names of a folder that lies in another one of that name
    names: tuple[str, ...] = ()  # globs of the file's own name
    suffixes: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()  # phrases of the comment at the head of code
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The role's name."""
        return self.role.value


def role_rule(entry: Mapping[str, Any], path: Path) -> RoleRule:
    """One checked entry of a role file.

    Raises:
        RuleError: it does not follow the format of `rules/README.md`.
    """
    name = str(required(entry, "id", path))
    check_keys(entry, _KEYS, f"role `{name}`", path)
    samples = mapping(entry, "samples", path)
    check_keys(samples, _SAMPLES, f"the samples of role `{name}`", path)
    markers = _lowered(entry, "markers")
    if any("generated" not in marker for marker in markers):
        raise RuleError(f"{path}: a marker of role `{name}` lacks the word `generated`, by which files are preselected")
    return RoleRule(
        role=choice(Role, name, "the id of a role", path),
        folders=_lowered(entry, "folders"),
        nested=_lowered(entry, "nested"),
        names=_lowered(entry, "names"),
        suffixes=_lowered(entry, "suffixes"),
        markers=markers,
        samples={key: texts(value) for key, value in samples.items()},
    )


def _lowered(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(text.lower() for text in texts(entry.get(key)))
