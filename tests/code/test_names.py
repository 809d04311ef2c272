"""Which file a dotted name means."""

from __future__ import annotations

import random

import pytest

from mlops_scan.code.names import ModuleNames

_FOLDERS = ("a", "b", "src", "lib", "c.d")
_FILES = ("utils.py", "a.py", "__init__.py", "c.d.py")
_WORDS = ("a", "b", "src", "utils", "c_d", "other")


def test_of_many_files_of_a_name_the_same_is_meant_as_if_each_had_been_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pick = random.Random(7)
    for _ in range(12):
        folders = ["/".join(pick.choices(_FOLDERS, k=pick.randrange(5))) for _ in range(60)]
        paths = sorted({f"{folder}/{pick.choice(_FILES)}".lstrip("/") for folder in folders})
        names = {".".join(pick.choices(_WORDS, k=pick.randrange(1, 4))) for _ in range(60)}
        found = []
        for few in (0, len(paths)):
            monkeypatch.setattr("mlops_scan.code.names._FEW", few)
            known = ModuleNames(paths, frozenset(paths[::7]))
            found.append({(name, path): known.find_module(name, path) for name in names for path in paths})
        assert found[0] == found[1]
        assert any(located is not None for located in found[0].values())


@pytest.mark.parametrize(
    ("dotted", "located"),
    [
        ("TEMPLATE.train.fit", ("train.py", "fit")),
        ("TEMPLATE", None),
        ("train.TEMPLATE.fit", ("train.py", "TEMPLATE.fit")),
        ("TEMPLATE.TEMPLATE.train", None),
        ("pkg.sub.mod.C.m.deeper.still", ("pkg/sub/mod.py", "C.m.deeper.still")),
        ("pkg.sub", None),
        ("", None),
    ],
)
def test_the_longest_prefix_counts(dotted: str, located: tuple[str, str] | None) -> None:
    names = ModuleNames(["train.py", "pkg/sub/mod.py"])
    assert names.find_module(dotted, "main.py") == located
    assert names.find_module(dotted, "main.py") == located
    assert names.is_foreign(dotted) == (located is None)


_PROJECTS = [
    "one/run.py",
    "one/pipelines/training.py",
    "one/steps/__init__.py",
    "one/steps/training/fit.py",
    "two/steps/train.py",
    "two/steps/__init__.py",
    "two/steps/extra/score.py",
    "three/run.py",
]


@pytest.mark.parametrize(
    ("dotted", "importer", "located"),
    [
        # what the package of the project itself has is no module of another project
        ("steps.train", "one/pipelines/training.py", ("one/steps/__init__.py", "train")),
        ("steps.train.fit", "one/run.py", ("one/steps/__init__.py", "train.fit")),
        ("steps.training.fit.run", "one/run.py", ("one/steps/training/fit.py", "run")),
        ("steps.train.fit", "two/run.py", ("two/steps/train.py", "fit")),
        # a module in a package that is not there must lie elsewhere
        ("steps.extra.score", "one/run.py", ("two/steps/extra/score.py", "")),
        # and so does one where the project has no such package
        ("steps.train.fit", "three/run.py", ("two/steps/train.py", "fit")),
    ],
)
def test_modules_are_looked_for_in_the_package_that_is_meant(
    dotted: str, importer: str, located: tuple[str, str]
) -> None:
    assert ModuleNames(_PROJECTS).find_module(dotted, importer) == located


def test_a_package_may_be_spread_over_folders() -> None:
    paths = ["core/src/org/__init__.py", "core/src/org/base.py", "extra/src/org/__init__.py", "extra/src/org/fit.py"]
    importer, spread = "core/src/org/base.py", {"core/src/org/__init__.py", "extra/src/org/__init__.py"}
    assert ModuleNames(paths).find_module("org.fit", importer) == ("core/src/org/__init__.py", "fit")
    assert ModuleNames(paths, (), spread).find_module("org.fit", importer) == ("extra/src/org/fit.py", "")
    # without an `__init__.py` of its own it is no package that could be complete
    assert ModuleNames([*paths[1:2], *paths[2:]]).find_module("org.fit", importer) == ("extra/src/org/fit.py", "")


def test_the_nearest_package_hides_one_at_the_root() -> None:
    paths = ["steps/__init__.py", "steps/fit.py", "one/steps/__init__.py", "one/run.py", "pkg/__init__.py"]
    assert ModuleNames(paths).find_module("steps.fit", "one/run.py") == ("one/steps/__init__.py", "fit")
    inside = [*paths, "one/__init__.py"]  # only what is started in a package searches it
    assert ModuleNames(inside).find_module("steps.fit", "one/run.py") == ("steps/fit.py", "")
