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
from tests.reports.inert import CHECKS
from tests.trees import TRAIN

FORGE = Forge("https://forge.example/a/b", "https://forge.example/a/b/blob/0123/{path}", "#L{first}-L{last}")
OPTIONS = [
    RenderOptions(),
    RenderOptions(verbose=True, unicode=True, target=4, places=Places("sub folder/äöü", "/home/x", FORGE)),
]

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover=alert(1) x="',
    "' autofocus onfocus=alert(1) '",
    "]]><!DOCTYPE x [<!ENTITY y SYSTEM 'file:y'>]>",
    "::set-output name=a::b",
    "a\n::error file=b::c",
    "a\r\n##vso[task.setvariable variable=a]b",
    "%0A::add-mask::x",
    '=HYPERLINK("http://evil.example")',
    "@SUM(1+1)*cmd|' -C calc'!A0",
    "\x1b[2J\x1b]8;;http://evil.example\x07click\x1b]8;;\x07",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "[click](http://evil.example) ![x](http://evil.example/y.png)",
    "`` ` ``` </details> @someone #1 !2 ~label owner/repo#3 GH-4",
    "http://evil.example www.evil.example mailto:a@b.example",
    "| a | b |\n|---|---|\n",
    "{{ 7 * 7 }} {% raw %} ${{ github.token }} {0} %s",
    "x" * 200,
    "\udcff\udcfe",
    "\ufffe\uffff\x00\x0b",
    "javascript:alert(1)//",
    "--><svg/onload=alert(1)>",
)


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


WORKFLOW = """\
name: "<b>::error::</b>"
on: [push]
jobs:
  "]]><script>alert(1)</script>":
    name: "[x](http://evil.example)\\u202e"
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: "::set-output name=a::b"
        run: python '<script>alert(1)</script>.py' && pytest "tests/=cmd()" || true
      - run: python missing/@someone`#1`.py
      - run: echo "deploy model to production @all <img src=x>"
"""


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of a real folder whose names and contents are hostile."""
    if os.name == "nt":
        pytest.skip("these names cannot exist on Windows")
    root = tmp_path_factory.mktemp("hostile")
    long = "x = '" + "A" * 10_000 + "'\n"
    for number, word in enumerate(PAYLOADS):
        path = root / (word.replace("\x00", "").strip("/")[:100] + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        body = TRAIN.replace('"data.csv"', repr(word)).replace("model.fit(x, y)", f"model.fit(x, y)  # {word!r}")
        path.write_bytes(long.encode() * (number % 2) + body.encode("utf-8", "replace"))
    files = {
        ".github/workflows/ci.yml": WORKFLOW.encode(),
        "requirements.txt": b"mlflow\n=cmd|' /C calc'!A0\n<script>alert(1)</script>\nscikit-learn==1.0 # \x1b[31m\n",
        "broken\n::error::.yml": b"a: [\xff\xfe<script>\n",
        "tests/=cmd()/test_a.py": b"def test_a():\n    assert True\n",
        "dvc.yaml": "stages:\n  '<script>\u202e':\n    cmd: python '<script>alert(1)<'/script>.py\n".encode(),
        "notebook <img>.ipynb": b'{"cells": [{"cell_type": "code", "source": "</script>", "outputs": []}',
        "MODEL_CARD.md": b"# Card\n<script>alert(1)</script>\nTODO\n",
    }
    for file, content in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(content)
    return scan(root)


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
