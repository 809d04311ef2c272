"""Which paths can be definitions of a CI provider."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.ci.providers import NOT_READ, PROVIDERS, Provider, may_be_named, provider_named, unread_provider


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
@settings(max_examples=30)
@given(st.data())
def test_every_definition_passes_the_first_look(provider: Provider, data: st.DataObject) -> None:
    path = data.draw(st.from_regex(provider.named.pattern))
    assert may_be_named(path)
    assert provider_named(path) is not None or "{" in path


@pytest.mark.parametrize("path", ["train.py", "docs/index.md", "a/b.ymlx", "README", "conf/model.yaml", "k8s/a.json"])
def test_most_paths_do_not(path: str) -> None:
    assert not may_be_named(path)


@pytest.mark.parametrize(("provider", "pattern"), NOT_READ, ids=lambda item: item if isinstance(item, str) else "")
@settings(max_examples=30)
@given(data=st.data())
def test_every_definition_that_is_not_read_is_recognised(
    provider: str, pattern: re.Pattern[str], data: st.DataObject
) -> None:
    path = data.draw(st.from_regex(pattern.pattern))
    assert unread_provider(path) or "{" in path
