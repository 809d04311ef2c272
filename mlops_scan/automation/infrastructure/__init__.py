"""Infrastructure as code as one list of resources, whatever the language: Terraform, CloudFormation, CDK, Bicep …"""

from __future__ import annotations

from collections.abc import Iterable

from mlops_scan.automation.infrastructure.declared import from_files, module_sources
from mlops_scan.automation.infrastructure.model import Resource, kind_of, snake
from mlops_scan.automation.infrastructure.programs import from_code
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.programs import typescript_programs
from mlops_scan.documents.store import Documents
from mlops_scan.repository.files import File

__all__ = ["Resource", "kind_of", "module_sources", "resources", "snake", "typescript_programs"]


def resources(files: Iterable[File], documents: Documents, index: CodeIndex) -> tuple[Resource, ...]:
    """All resources that the repository declares, files in their order, programs last."""
    return (*from_files(files, documents), *from_code(index))
