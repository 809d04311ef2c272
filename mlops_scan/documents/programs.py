"""Which TypeScript files may be infrastructure programs, told by their place alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from mlops_scan.repository.files import File
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.documents.store import Documents

_MARKS = frozenset({"cdk.json", "Pulumi.yaml", "Pulumi.yml"})
_ASIDE = frozenset({Role.VENDORED, Role.GENERATED, Role.TEST})


def typescript_programs(files: Iterable[File]) -> list[File]:
    """The TypeScript files that may declare infrastructure: those below a folder with a CDK or Pulumi project."""
    listed = list(files)
    roots = {file.path.rpartition("/")[0] for file in listed if file.name in _MARKS}
    if not roots:
        return []
    return [
        file
        for file in listed
        if file.suffix == ".ts"
        and not file.name.endswith((".d.ts", ".test.ts", ".spec.ts"))
        and _is_below(file.path, roots)
    ]


def _is_below(path: str, roots: Collection[str]) -> bool:
    while path:
        path = path.rpartition("/")[0]
        if path in roots:
            return True
    return False


def own_programs(documents: Documents) -> frozenset[str]:
    """The paths of those that are read and are the repository's own, tests apart."""
    found = typescript_programs(documents.files.values())
    return frozenset(file.path for file in found if file.role not in _ASIDE and file.path not in documents.left_out)
