"""Facts survive being packed."""

from __future__ import annotations

import marshal
from pathlib import Path

import pytest

from mlops_scan import cache
from mlops_scan.code.build import Source, build, build_all
from mlops_scan.code.packed import pack, unpack

_ROOT = Path(__file__).parents[2]
_SOURCES = [
    Source(str(path.relative_to(_ROOT)), path.read_text(encoding="utf-8"))
    for path in sorted((_ROOT / "fixtures").rglob("*.py"))
]


@pytest.mark.parametrize("source", _SOURCES, ids=lambda source: source.path)
def test_every_fact_comes_back(source: Source) -> None:
    module = build(source).module
    if module is not None:
        assert unpack(pack(module)) == module


@pytest.mark.parametrize("data", [b"", b"no facts", marshal.dumps(()), marshal.dumps(("a",) * 12), marshal.dumps(3)])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not the facts"):
        unpack(data)


@pytest.mark.parametrize("held", [0, 1_000_000])  # bytes that wait to be written
def test_facts_from_the_cache_are_those_of_a_parse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    monkeypatch.setattr("mlops_scan.code.build._HELD", held)
    opened = cache.open_cache()
    assert opened is not None
    broken = Source("broken.py", "import torch\ndef f(:\n    pass\nx = (((\n")
    plain = list(build_all([*_SOURCES, broken]))
    assert list(build_all([*_SOURCES, broken], cache=opened)) == plain
    assert opened.count() == len(plain)
    monkeypatch.setattr("mlops_scan.code.build.build", lambda source: pytest.fail(f"{source.path} was parsed again"))
    assert list(build_all([*_SOURCES, broken], cache=opened)) == plain


def test_processes_give_the_same_facts() -> None:
    assert list(build_all(_SOURCES, jobs=2)) == list(build_all(_SOURCES))


def test_the_same_text_elsewhere_is_not_mistaken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    opened = cache.open_cache()
    text = "from .model import fit\n"
    first, second = (
        next(build_all([Source(path, text)], cache=opened)).module for path in ("a/train.py", "b/train.py")
    )
    assert first is not None
    assert second is not None
    assert [first.imports[0].name, second.imports[0].name] == ["a.model.fit", "b.model.fit"]
