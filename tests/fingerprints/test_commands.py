from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.fingerprints.commands import is_idle
from mlops_scan.words import Location
from tests.fingerprints.books import matcher_of


def test_commands(tmp_path: Path) -> None:
    matcher = matcher_of(
        tmp_path,
        {"commands": ["dvc repro", "dvc * run", "* repro"]},
        {"does": ["train"], "commands": ["dvc|dvcx repro"]},
        {"does": ["serve"], "commands": ["./run-*"]},
    )
    place = Location("ci.yml", 3)
    found = matcher.in_command(("dvc", "repro"), place)
    assert [(use.name, use.serves, use.does) for use in found] == [
        ("dvc repro", ("a/one",), ()),
        ("dvc|dvcx repro", (), ("train",)),
    ]
    assert all(use.location == place for use in found)
    assert [use.name for use in matcher.in_command(("x", "repro"), place)] == ["* repro"]
    assert [use.does for use in matcher.in_command(("./run-model", "x"), place)] == [("serve",)]
    assert matcher.in_command((), place) == []
    assert matcher.in_command(("echo", "dvc", "repro"), place) == []
    assert matcher.in_command(("dvc", "repro", "--dry"), place) == []


@pytest.mark.parametrize(
    ("command", "idle"),
    [
        ("dvc repro", False),
        ("dvc repro --dry", True),
        ("dvc --help", True),
        ("dvc repro --help", True),
        ("dvc --version", True),
        ("python -m dvc --version", True),
        ("helm upgrade app chart --version 1.2", False),
        ("az ml model create --version 3 --name x", False),
        ("kubectl apply --dry-run -f x", True),
        ("kubectl apply --dry-run=client -f x", True),
        ("kubectl apply --dry-run=none -f x", False),
        ("x deploy --dry-run=false", False),
        ("aws s3 sync a b --dryrun", True),
        ("pytest --collect-only", True),
        ("pytest --co -q", True),
        ("pytest --cov x", False),
        ("snakemake -n", True),
        ("snakemake -np", True),
        ("snakemake -j 4", False),
        ("pytest -n 4", False),
        ("kubectl -n space apply -f x", False),
        ("mlflow run . -- --help", False),
        ("--help", False),
    ],
)
def test_idle_commands(command: str, idle: bool) -> None:
    assert is_idle(tuple(command.split())) is idle
