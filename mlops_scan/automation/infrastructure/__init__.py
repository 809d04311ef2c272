"""Infrastructure as code as one list of resources, whatever the language: Terraform, CloudFormation, CDK, Bicep …"""

from __future__ import annotations

from collections.abc import Iterable

from mlops_scan.automation.infrastructure.declared import from_files, module_sources
from mlops_scan.automation.infrastructure.model import Resource, kind_of, snake
from mlops_scan.automation.infrastructure.programs import from_code
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.store import Documents
from mlops_scan.repository.files import File

__all__ = ["Resource", "kind_of", "module_sources", "resources", "snake", "typescript_programs"]

PROGRAM_MARKS = frozenset({"cdk.json", "Pulumi.yaml", "Pulumi.yml"})
"""Files beside or above which a TypeScript file may declare infrastructure."""


def resources(files: Iterable[File], documents: Documents, index: CodeIndex) -> tuple[Resource, ...]:
    """All resources that the repository declares, files in their order, programs last."""
    return (*from_files(files, documents), *from_code(index))


def typescript_programs(files: Iterable[File]) -> list[File]:
    """The TypeScript files that may declare infrastructure: those below a folder with a CDK or Pulumi project."""
    listed = list(files)
    roots = {file.path.rpartition("/")[0] for file in listed if file.name in PROGRAM_MARKS}
    if not roots:
        return []
    return [
        file
        for file in listed
        if file.suffix == ".ts"
        and not file.name.endswith((".d.ts", ".test.ts", ".spec.ts"))
        and any(not root or file.path.startswith(f"{root}/") for root in roots)
    ]
