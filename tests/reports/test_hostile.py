"""Hostile names and contents are inert in every format: hand-built, scanned from a real folder, and made up."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mlops_scan.engine.report import Report
from mlops_scan.engine.scan import scan
from mlops_scan.reports import FORMATS, RenderOptions, render
from mlops_scan.reports.places import Forge, Places
from mlops_scan.words import Evidence, Incomplete, Location
from tests.reports import samples
from tests.reports.hostile import PAYLOADS, write_hostile
from tests.reports.inert import CHECKS

FORGE = Forge("https://forge.example/a/b", "https://forge.example/a/b/blob/0123/{path}", "#L{first}-L{last}")
OPTIONS = [
    RenderOptions(),
    RenderOptions(verbose=True, unicode=True, target=4, places=Places("sub folder/äöü", "/home/x", FORGE)),
]


def _with(words: tuple[str, ...]) -> Report:
    """The sample with these words wherever something of a repository can appear."""
    base = samples.report()
    places = [Location(word.strip("/") or "x", number) for number, word in enumerate(words, start=1)]
    findings = tuple(
        replace(
            samples.FINDINGS[1],
            location=place,
            message=f"`{word}` is {word}",
            fingerprint=str(number),
            related=(Evidence(place, text=word),),
        )
        for number, (word, place) in enumerate(zip(words, places, strict=True))
    )
    practices = tuple(
        replace(samples.MODEL_TESTS, reason=word, tools=(word,), evidence=(Evidence(place, text=word),))
        for word, place in zip(words, places, strict=True)
    )
    gaps = tuple(replace(samples.HEADLINE.gaps[0], remedy=f"Here {word}. Do that.") for word in words)
    headline = replace(samples.HEADLINE, path=words[0], practices=(*practices, *samples.HEADLINE.practices), gaps=gaps)
    return replace(
        base,
        path=words[0],
        kind_reason=words[-1],
        kind_place=places[-1],
        headline=headline,
        components=(headline, *(replace(samples.HEADLINE, path=word) for word in words)),
        findings=findings,
        incomplete=tuple(Incomplete(place.path, word) for word, place in zip(words, places, strict=True)),
        notices=words,
        inventory=samples.inventory(words),
    )


def test_every_format_has_a_check() -> None:
    assert set(CHECKS) == set(FORMATS)


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "forge"])
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("report", [samples.report(), samples.without_ml(), samples.hostile(), _with(PAYLOADS)],
                         ids=["full", "no ml", "hostile", "payloads"])  # fmt: skip
def test_inert(name: str, options: RenderOptions, report: Report) -> None:
    CHECKS[name](render(report, name, options), report)


_words = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("<>&\"'`[]()!@#:%,=\n\r|*_~\\/-\x1b\u202e\udc80\udcff"),
    ),
    min_size=1,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(sorted(FORMATS)), words=st.lists(_words, min_size=1, max_size=3))
def test_whatever_the_words(name: str, words: list[str]) -> None:
    report = _with(tuple(words))
    for options in OPTIONS:
        CHECKS[name](render(report, name, options), report)


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of a real folder whose names and contents are hostile."""
    if os.name == "nt":
        pytest.skip("these names cannot exist on Windows")
    return scan(write_hostile(tmp_path_factory.mktemp("hostile")))


def test_the_hostile_folder_says_much(scanned: Report) -> None:
    assert scanned.has_ml
    seen = {item.location.path for practice in scanned.headline.practices for item in practice.evidence}
    for part in ("<script>", "::set-output", "=HYPERLINK", "\x1b]8;;", "]]>"):
        assert any(part in path for path in seen), part
    assert any("\n" in item.path for item in scanned.incomplete)


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "forge"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_hostile_folder_is_inert(name: str, options: RenderOptions, scanned: Report) -> None:
    CHECKS[name](render(scanned, name, options), scanned)
