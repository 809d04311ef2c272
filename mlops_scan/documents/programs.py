"""Which TypeScript files may be infrastructure programs, told by their place and the packages beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import TYPE_CHECKING

from mlops_scan.repository.files import File
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.documents.store import Documents

_MARKS = frozenset({"cdk.json", "Pulumi.yaml", "Pulumi.yml"})
_LIBRARIES = (b'"aws-cdk-lib"', b'"@aws-cdk/core"', b'"@pulumi/pulumi"')
_WORKSPACE = b'"workspaces"'  # of a manifest that only brings packages together
_MAX_MANIFESTS, _MAX_MANIFEST = 300, 100_000  # files and bytes
_ASIDE = frozenset({Role.VENDORED, Role.GENERATED, Role.TEST})


def typescript_programs(files: Iterable[File]) -> list[File]:
    """The TypeScript files that may declare infrastructure: those below a folder with a CDK or Pulumi project.

    Where there is one, also those of the packages that depend on its library: the constructs of a workspace's app.
    https://docs.npmjs.com/cli/using-npm/workspaces
    """
    listed = list(files)
    roots = {file.path.rpartition("/")[0] for file in listed if file.name in _MARKS}
    if not roots:
        return []
    roots.update(file.folder for file in _packages(listed) if not _is_below(file.path, roots))
    return [
        file
        for file in listed
        if file.suffix == ".ts"
        and not file.name.endswith((".d.ts", ".test.ts", ".spec.ts"))
        and _is_below(file.path, roots)
    ]


def _packages(files: Iterable[File]) -> list[File]:
    """The manifests of packages that depend on a library for infrastructure."""
    own = (f for f in files if f.name == "package.json" and f.role not in _ASIDE and f.size <= _MAX_MANIFEST)
    texts = ((file, _text(file)) for file in islice(own, _MAX_MANIFESTS))
    return [file for file, text in texts if _WORKSPACE not in text and any(name in text for name in _LIBRARIES)]


def _text(file: File) -> bytes:
    try:
        return file.read(_MAX_MANIFEST)
    except OSError:
        return b""  # it is gone, or nobody may read it


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
