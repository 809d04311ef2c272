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
