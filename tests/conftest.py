"""What every test shares: a cache folder of its own, so that no test sees what another, or the user, has cached."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

_OBJECTS = 20_000  # new objects between two looks for garbage; with the default of 700 they take a fifth of the time


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is there before the first test stays: looking through it again and again finds nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS, 20, 20)


@pytest.fixture(autouse=True)
def _garbage_is_collected() -> Iterator[None]:
    """A scan by the command line switches the collector off, which is right for a process that ends after it."""
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _own_cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(_session_folder(tmp_path_factory)))


def _session_folder(factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests: reading the rules anew in each would double the time of the suite."""
    folder = factory.getbasetemp() / "cache"
    folder.mkdir(exist_ok=True)
    return folder
