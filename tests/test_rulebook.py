from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from msgspec.structs import replace

from mlops_scan import rulebook, rulecache
from mlops_scan.errors import RuleError
from mlops_scan.fingerprints.patterns import beginnings_of
from mlops_scan.rulebook import Signature, load
from mlops_scan.words import Confidence, Grade, Role, Severity
from tests.fingerprints.books import PRACTICE, write_book

BOOK = load()


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr("mlops_scan.cache.folder", lambda: folder)
    monkeypatch.setattr(rulecache, "_shipped", lambda: folder / "none")
    return folder


# -- the built-in rules ------------------------------------------------------------------------------------------------


def test_the_built_in_rules_load() -> None:
    assert "mlflow" in BOOK.tools
    assert "experiment/tracking" in BOOK.practices
    assert set(BOOK.models) == {"default", "google", "microsoft", "aws", "ml-test-score", "genai"}
    assert BOOK.findings["MLS101"].severity is Severity.NOTE
    assert "mls101" in BOOK.findings["MLS101"].help_url.lower()


def test_every_gap_is_one_finding() -> None:
    gaps = Counter(practice.gap for practice in BOOK.practices.values())
    assert [gap for gap, count in gaps.items() if count > 1] == []
    for practice in BOOK.practices.values():
        finding = BOOK.findings[practice.gap]
        assert (finding.severity, finding.why, finding.fix) == (Severity.NOTE, practice.what, practice.remedy)
        assert finding.tags == ("maturity-gap", practice.id.partition("/")[0])


def test_every_practice_of_the_default_model_exists() -> None:
    levels = BOOK.models["default"].levels
    assert [level.number for level in levels] == [1, 2, 3, 4]
    named = {name for level in levels for row in level.rows for name in row.practices}
    assert named <= set(BOOK.practices)
    assert all(0 < row.need <= len(row.practices) for level in levels for row in level.rows)


def test_practices_are_family_and_name_and_can_be_met() -> None:
    for practice in BOOK.practices.values():
        assert practice.id.count("/") == 1
        assert practice.minimum in (Grade.WIRED, Grade.IMPLEMENTED, Grade.TRACE)


def test_finding_ids_are_of_the_published_form() -> None:
    assert all(len(name) == 6 and name.startswith("MLS") and name[3:].isdigit() for name in BOOK.findings)


def test_every_tool_has_a_family() -> None:
    assert all(tool.family for tool in BOOK.tools.values())


def test_tools_that_programs_without_a_model_use_are_marked() -> None:
    general = {tool.id for tool in BOOK.tools.values() if tool.general}
    assert {"prometheus-client", "opentelemetry", "notifications"} <= general
    assert general.isdisjoint({"mlflow", "evidently", "scikit-learn", "airflow", "openai"})


def test_patterns_for_unknown_receivers_name_imports() -> None:
    """Otherwise `x.fit()` of any program would be the tool's; a conjunction may have a call that names it."""
    for tool in BOOK.tools.values():
        for signature in tool.signatures:
            alone = [name.startswith("?") for name in (*signature.calls, *signature.decorators, *signature.bases)]
            together = [name.startswith("?") for name in signature.all_calls]
            assert signature.imports or not (any(alone) or (together and all(together))), (tool.id, signature)


# -- the format --------------------------------------------------------------------------------------------------------


def test_a_signal_is_read(tmp_path: Path) -> None:
    signal: dict[str, Any] = {
        "serves": "a/one",
        "does": ["train", "serve"],
        "calls": "lib.f",
        "with": {"a": True, "b": "x", "c": [1, False, None]},
        "without": {"d": 0.5},
        "imports": ["lib"],
        "grade": "trace",
        "confidence": "medium",
        "note": "why",
    }
    files = {"tools/t.yaml": {"family": "f", "tools": [{"id": "t", "signals": [signal]}]}}
    tool = load(write_book(tmp_path, files)).tools["t"]
    assert (tool.name, tool.family, tool.url) == ("t", "f", "")
    assert tool.signatures == (
        Signature(
            serves=("a/one",),
            does=("train", "serve"),
            calls=("lib.f",),
            required=(("a", ()), ("b", ("x",)), ("c", ("1", "false", "none"))),
            refused=(("d", ("0.5",)),),
            imports=("lib",),
            grade=Grade.TRACE,
            confidence=Confidence.MEDIUM,
            note="why",
        ),
    )


def test_keys_are_read(tmp_path: Path) -> None:
    signal = {"serves": "a/one", "keys": {"a.b": True, "c": False, "d": "x*", "e": 2}, "files": "*.yml"}
    files = {"tools/t.yaml": {"family": "f", "tools": [{"id": "t", "signals": [signal]}]}}
    (signature,) = load(write_book(tmp_path, files)).tools["t"].signatures
    assert signature.keys == (("a.b", ""), ("c", "false"), ("d", "x*"), ("e", "2"))
    assert signature.files == ("*.yml",)


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    first = load(write_book(tmp_path / "a", {})).version
    again = load(write_book(tmp_path / "b", {})).version
    other = load(
        write_book(tmp_path / "c", {"practices/a.yaml": {"practices": [{**PRACTICE, "title": "Two"}]}})
    ).version
    assert first == again != other


def test_the_cache_changes_nothing(cache: Path) -> None:
    assert load() == BOOK
    (stored,) = cache.glob("rules-*")
    assert load() == BOOK
    head = rulecache._head(b"other")
    for damaged in (b"", b"other", stored.read_bytes()[:-1], head + msgspec.msgpack.encode([]), head):
        stored.write_bytes(damaged)
        assert load() == BOOK


def test_the_compiled_form_beside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    shipped = tmp_path / "rules.msgpack"
    monkeypatch.setattr(rulecache, "_shipped", lambda: shipped)
    shipped.write_bytes(rulebook.compiled())
    monkeypatch.setattr(rulebook, "_read", None)  # nothing is read from the files
    assert load(cache=False) == BOOK
    assert list(cache.iterdir()) == []


def test_the_compiled_form_of_other_rules_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "rules.msgpack"
    monkeypatch.setattr(rulecache, "_shipped", lambda: shipped)
    other = replace(BOOK, tools={})
    shipped.write_bytes(rulecache.compiled(b"other", other))
    assert load(cache=False) == BOOK


def test_a_changed_class_is_a_changed_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rulecache._head(b"key")
    monkeypatch.setattr(rulecache, "_KINDS", rulecache._KINDS[1:])
    assert rulecache._head(b"key") != before


def test_every_class_of_the_book_is_part_of_the_shape() -> None:
    def classes(kind: object) -> set[object]:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return {kind}.union(*(classes(hint) for hint in get_type_hints(kind).values()))
        return set().union(*(classes(part) for part in get_args(kind)))

    assert classes(rulebook.RuleBook) == set(rulecache._KINDS)


def test_only_the_built_in_rules_are_cached(tmp_path: Path, cache: Path) -> None:
    load(write_book(tmp_path, {}))
    assert load(cache=False) == BOOK
    assert list(cache.iterdir()) == []


def _tool(**entry: object) -> dict[str, object]:
    return {"tools/t.yaml": {"family": "f", "tools": [{"id": "t", **entry}]}}


def _signal(**entry: object) -> dict[str, object]:
    return _tool(signals=[entry])


def _practice(**entry: object) -> dict[str, object]:
    return {"practices/b.yaml": {"practices": [{**PRACTICE, "id": "a/two", "gap": "MLS302", **entry}]}}


def _model(row: object) -> dict[str, object]:
    levels = [{"number": 0, "name": "None"}, {"number": 1, "name": "One", "rows": [row]}]
    return {"models/m.yaml": {"id": "m", "name": "M", "levels": levels}}


def _finding(**entry: object) -> dict[str, object]:
    whole = {"id": "MLS901", "title": "T", "severity": "note", "why": "W", "fix": "F", **entry}
    return {"findings/f.yaml": {"findings": [whole]}}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        # not the format at all
        ({"tools/t.yaml": "a: [1\n"}, r"tools/t\.yaml: not valid YAML: (.|\n)*line 2"),
        ({"tools/t.yaml": "a: !!python/object:os.system {}\n"}, r"tools/t\.yaml: not valid YAML: "),
        ({"tools/t.yaml": "just text\n"}, r"tools/t\.yaml: expected a mapping at the top"),
        ({"tools/t.yaml": ""}, r"tools/t\.yaml: expected a mapping at the top"),
        ({"tools/t.yaml": {"family": "f"}}, r"tools/t\.yaml: expected a list of mappings under `tools:`"),
        ({"tools/t.yaml": {"tools": ["t"]}}, r"tools/t\.yaml: expected a list of mappings under `tools:`"),
        ({"practices/b.yaml": {"practices": {}}}, r"b\.yaml: expected a list of mappings under `practices:`"),
        # unknown keys
        (_tool(signal=[]), r"t\.yaml: tool `t` has the unknown key 'signal'; did you mean `signals`\?"),
        (
            _signal(serves="a/one", call=["x"]),
            r"t\.yaml: a signal of `t` has the unknown key 'call'; did you mean `calls`",
        ),
        (
            _tool(samples=[{"path": "a", "text": "", "expects": []}]),
            r"t\.yaml: a sample of `t` has the unknown key 'expects'; did you mean `expect`\?",
        ),
        (
            _practice(minimun="wired"),
            r"b\.yaml: practice `a/two` has the unknown key 'minimun'; did you mean `minimum`\?",
        ),
        (_model({"title": "R", "practices": ["a/one"], "needs": 1}), r"m\.yaml: row `R` has the unknown key 'needs'"),
        (_finding(level="x"), r"f\.yaml: finding `MLS901` has the unknown key 'level'"),
        # missing fields
        ({"tools/t.yaml": {"tools": [{"name": "T"}]}}, r"t\.yaml: .* lacks `id`"),
        ({"practices/b.yaml": {"practices": [{"id": "a/two"}]}}, r"b\.yaml: `a/two` lacks `title`"),
        ({"models/m.yaml": {"id": "m", "levels": []}}, r"m\.yaml: `m` lacks `name`"),
        (_model({"title": "R"}), r"m\.yaml: .* lacks `practices`"),
        ({"findings/f.yaml": {"findings": [{"id": "MLS901", "title": "T"}]}}, r"f\.yaml: `MLS901` lacks `severity`"),
        (_tool(samples=[{"path": "a", "expect": []}]), r"t\.yaml: .* lacks `text`"),
        (_signal(serves="a/one"), r"t\.yaml: a signal of `t` has no condition; use one of calls, all_calls, "),
        (_signal(calls=["x"]), r"t\.yaml: a signal of `t` has neither `serves` nor `does`"),
        # wrong values
        (
            _signal(serves="a/one", calls=["x"], commands=["y"]),
            r"t\.yaml: a signal of `t` has calls and commands; write one",
        ),
        (_signal(serves="a/one", keys=["x"]), r"t\.yaml: expected a mapping under `keys:` of `a/one`"),
        (
            _signal(serves="a/one", calls=["x"], **{"with": ["y"]}),
            r"t\.yaml: expected a mapping under `with:` of `a/one`",
        ),
        (
            _signal(serves="a/one", calls=["x"], grade="good"),
            r"t\.yaml: the grade of a signal of `t` is 'good', expected one of wired, implemented, trace",
        ),
        (
            _signal(serves="a/one", calls=["x"], confidence=1),
            r"t\.yaml: the confidence of a signal of `t` is 1, expected one",
        ),
        (
            _signal(serves="a/one", calls=["x"], min_args="two"),
            r"t\.yaml: `min_args` of a signal of `t` is 'two', expected",
        ),
        (_tool(signals={"serves": "a/one"}), r"t\.yaml: expected a list of mappings under `signals:` of `t`"),
        (_practice(minimum="always"), r"b\.yaml: the minimum of `a/two` is 'always', expected one of wired"),
        (_practice(snippets=["x"]), r"b\.yaml: expected a mapping under `snippets:` of `a/two`"),
        (
            _finding(severity="fatal"),
            r"f\.yaml: the severity of `MLS901` is 'fatal', expected one of error, warning, note",
        ),
        (
            _model({"title": "R", "practices": ["a/one"], "need": "all"}),
            r"m\.yaml: `need` of `R` is 'all', expected a number",
        ),
        (_model({"title": "R", "practices": ["a/one"], "need": 2}), r"m\.yaml: row `R` needs 2 of 1 practices"),
        (_model({"title": "R", "practices": []}), r"m\.yaml: row `R` needs 1 of 0 practices"),
        (_model({"title": "R", "practices": ["a/one"], "also": ["a/one"]}), r"m\.yaml: row `R` names a practice twice"),
        (
            _model({"title": "R", "practices": ["a/one"], "also": [["a/one", "a/two"]]}),
            r"m\.yaml: row `R` names a practice twice",
        ),
        (
            _model({"title": "R", "practices": ["a/one", "a/two"], "need": 2, "also": [["b/x", "b/y"]]}),
            r"m\.yaml: row `R` needs 2; practices count together only where one is enough",
        ),
        (
            _model({"title": "R", "practices": ["a/one"], "also": [["b/none", "b/x"]]}),
            r"m\.yaml: model `m` names the unknown practice `b/none`",
        ),
        # twice
        (
            {**_tool(), "tools/u.yaml": {"tools": [{"id": "t"}]}},
            r"u\.yaml: `t` is defined twice, the first time in t\.yaml",
        ),
        (_practice(id="a/one"), r"b\.yaml: `a/one` is defined twice, the first time in a\.yaml"),
        (_practice(gap="MLS301"), r"b\.yaml: `MLS301` is defined twice, the first time in a\.yaml"),
        (_finding(id="MLS301"), r"`MLS301` is defined twice, the first time in f\.yaml"),
        (
            _tool(distributions=["t"], companions={"x": ["y"]}),
            r"`companions` names `x`, which is no distribution",
        ),
        # unknown practices
        (_tool(hints=["a/onne"]), r"t\.yaml: `t` names the unknown practice `a/onne`; did you mean `a/one`\?"),
        (_signal(serves=["a/one", "b/x"], calls=["x"]), r"t\.yaml: `t` names the unknown practice `b/x`"),
        (
            _model({"title": "R", "practices": ["a/one", "a/none"]}),
            r"m\.yaml: row `R` names the unknown practice `a/none`",
        ),
    ],
)
def test_what_breaks_the_format_is_named_with_its_file(tmp_path: Path, files: dict[str, object], message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        load(write_book(tmp_path, files))
    assert str(caught.value).startswith(str(tmp_path))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    folder = write_book(tmp_path, {})
    (folder / "practices/b.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(RuleError, match=r"b\.yaml: cannot be read: "):
        load(folder)


def test_an_installation_without_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "__file__", str(tmp_path / "pkg/rulebook.py"))
    with pytest.raises(RuleError, match=r"the built-in rules are missing beside .*; reinstall mlops-scan"):
        load()


# -- roles -------------------------------------------------------------------------------------------------------------


def test_every_role_but_source_and_template_has_a_rule() -> None:
    assert {rule.role for rule in BOOK.roles} == set(Role) - {Role.SOURCE, Role.TEMPLATE}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("roles: [{id: vendor, folders: [x]}]", "vendor"),
        ("roles: [{folders: [x]}]", "id"),
        ("roles: [{id: test, folder: [x]}]", "folder"),
        ("roles: [{id: test, samples: {yes: [x]}}]", "samples of role `test`"),
        ("roles: [{id: generated, markers: [made by a tool]}]", "lacks the word `generated`"),
        ("roles: [{id: test, names: [a]}, {id: test, names: [b]}]", "defined twice"),
        ("roles: x", "expected a list"),
    ],
)
def test_wrong_role_rules_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles" / "paths.yaml").write_text(text)
    with pytest.raises(RuleError, match=message):
        load(tmp_path)


# What a signal may name without being a reason to read a file: any program uses it, or other tools are beside it.
_OF_OTHERS = frozenset(
    {
        "pydantic",
        "polars",
        "spark",
        "random",
        "numpy",
        "smtplib",
        "agents",
        "prefect_slack",
        "prefect_email",
        "dagster_slack",
    }
)


def test_what_signals_name_is_looked_for() -> None:
    """Otherwise a file that uses nothing else would never be parsed."""
    known = {root.partition(".")[0] for tool in BOOK.tools.values() for root in tool.imports}
    known |= {root for tool in BOOK.tools.values() for root, _ in tool.clients}
    named = {
        name.partition(".")[0]
        for tool in BOOK.tools.values()
        for signature in tool.signatures
        for pattern in (*signature.calls, *signature.all_calls, *signature.decorators, *signature.bases)
        for name in beginnings_of(pattern)
    }
    assert named - known - _OF_OTHERS == set()
