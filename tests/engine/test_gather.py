"""From files to facts, each file read once whatever the number of processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine.scan import ScanOptions, gather
from mlops_scan.repository.listing import open_repository
from mlops_scan.rulebook import load
from tests.trees import TRAIN, write_tree

JOB = "apiVersion: kubeflow.org/v1\nkind: PyTorchJob\nspec: {pytorchReplicaSpecs: {}}\n"


@pytest.mark.parametrize("jobs", [1, 3])
def test_definitions_are_read_once_whoever_parses_code(tmp_path: Path, jobs: int) -> None:
    write_tree(tmp_path, {"train.py": TRAIN, "eval.py": TRAIN, "job.yaml": JOB})
    with open_repository(tmp_path) as repository:
        context = gather(repository, load(), ScanOptions(jobs=jobs))
    assert [use.location.path for use in context.uses if use.location.path == "job.yaml"] == ["job.yaml"]
    assert sorted(context.index.modules) == ["eval.py", "train.py"]
    assert context.documents.files_read == 3


@pytest.mark.parametrize("text", [TRAIN, "import json\n"])
def test_the_number_of_processes_changes_nothing_that_is_counted(tmp_path: Path, text: str) -> None:
    write_tree(tmp_path, {"a.py": text, "b.py": text, "run.sh": "python a.py\n", "Makefile": "all:\n\tpython b.py\n"})
    counted = []
    for jobs in (1, 2):
        with open_repository(tmp_path) as repository:
            documents = gather(repository, load(), ScanOptions(jobs=jobs)).documents
        counted.append((documents.files_read, documents.bytes_read, documents.parsed, documents.reads))
    assert counted[0] == counted[1]
