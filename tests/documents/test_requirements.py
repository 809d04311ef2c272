from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents import requirements, yaml
from tests.documents.hostile import mutations

COMMIT = "0123456789012345678901234567890123456789"
CLAUSES = (
    "==1",
    "==1.0",
    "==v1",
    "==01",
    "===1",
    "!=1.*",
    "!=1.0.*",
    "~=1.0",
    "~=1.0.0",
    ">=1a1",
    ">=1",
    "<1.10",
    "<1.1",
)
SAMPLE = f"""\
# c
-r base.txt
Foo_Bar[x,y]>=1,<2 ; python_version<"3"  # c
torch==1.0 \\
    --hash=sha256:abc \\
    --hash=sha256:def
git+https://github.com/a/b@{COMMIT}#egg=Bb
-e .
numpy
"""


def _lines(bounds: list[str], marker: str | None) -> str:
    return f"a[b] {','.join(bounds)}" + (f" ; {marker}" if marker is not None else "")


@settings(max_examples=400, deadline=None)
@given(
    st.from_regex(requirements._SHORT.pattern, fullmatch=True)
    | st.builds(
        _lines,
        st.lists(st.from_regex(requirements._CLAUSE.pattern, fullmatch=True), max_size=3),
        st.none() | st.from_regex(requirements._MARKERS.pattern, fullmatch=True),
    )
)
def test_plain_lines_are_read_as_the_library_reads_them(text: str) -> None:
    assert requirements.parse_line(text) == requirements._by_packaging(text, False, 1)


@settings(max_examples=500, deadline=None)
@given(
    st.from_regex(requirements._DIRECT.pattern, fullmatch=True)
    | st.from_regex(requirements._REFUSED.pattern)
    | st.from_regex(requirements._PLAIN.pattern, fullmatch=True)
    | st.text("ab1.-_ []@(=<>!~;,{}/v+'", min_size=1, max_size=20).map(lambda text: f"a{text}")
    | st.lists(st.sampled_from(CLAUSES), min_size=1, max_size=4).map(lambda clauses: f"a {','.join(clauses)}")
)
def test_other_lines_are_read_as_the_library_reads_them(text: str) -> None:
    text = text.partition("#")[0].replace("--", "-").strip()
    if text[:1].isalnum() and not requirements._URL.match(text):
        assert requirements.parse_line(text) == requirements._by_packaging(text, False, 1)


@pytest.mark.parametrize(
    "text",
    [
        "a>=1.31.5,<3.0.0dev,!=2.0.*,!=2.1.*",
        "a==1.0.dev2",
        "a==2.2.2+cu118",
        "a>=v2.1,<3",
        "a===1.1; python_version < '3.7'",
        'a==1 ; python_version >= "3.10" and (sys_platform == "win32" or os_name == "nt")',
        "a[b] @ git+https://x/a@main#egg=a",
        "folder/a-1.0-py3-none-any.whl",
        "sudo apt-get install a",
        "a=1.0",
        "a~={{ version }}",
    ],
)
def test_the_library_is_not_loaded_for(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = requirements._by_packaging(text, False, 1)
    monkeypatch.delattr(requirements, "_by_packaging")
    assert requirements.parse_line(text) == expected


def test_lines() -> None:
    found = requirements.parse(SAMPLE)
    assert [(r.line, r.name, r.kind, r.pinned, r.hashed) for r in found] == [
        (2, "", "include", False, False),
        (3, "foo-bar", "package", False, False),
        (4, "torch", "package", True, True),
        (7, "bb", "url", True, False),
        (8, "", "editable", False, False),
        (9, "numpy", "package", False, False),
    ]
    assert found[0].target == "base.txt"


@pytest.mark.parametrize(
    ("text", "name", "specifier", "pinned", "kind"),
    [
        ("a==1.0", "a", "==1.0", True, "package"),
        ("a == 1.0", "a", "==1.0", True, "package"),
        ("a===1.0", "a", "===1.0", True, "package"),
        ("a==1.*", "a", "==1.*", False, "package"),
        ("a>=1.0", "a", ">=1.0", False, "package"),
        ("a~=1.0", "a", "~=1.0", False, "package"),
        ("a=1.0", "a", "=1.0", False, "package"),
        ("a.B_c", "a-b-c", "", False, "package"),
        ("a @ https://x/a.whl", "a", "", False, "url"),
        (f"a @ git+https://x/a@{COMMIT}", "a", "", True, "url"),
        ("a @ git+https://x/a@main", "a", "", False, "url"),
        ("https://x/y-1.0-py3-none-any.whl", "y", "", True, "url"),
        ("https://x/y-0.4.1%2Bcpu-cp36-cp36m-linux_x86_64.whl", "y", "", True, "url"),
        ("y @ https://x/y-1.0-1-py3-none-any.whl", "y", "", True, "url"),
        ("https://x/y-${V}-py3-none-any.whl", "", "", False, "url"),
        ("https://x/y-latest-py3-none-any.whl", "", "", False, "url"),
        ("https://x/y-1.0.tar.gz#sha256=ab", "y", "", True, "url"),
        ("-e git+https://x/b.git@v1#egg=e", "e", "", False, "editable"),
        ("--editable=./x", "", "", False, "editable"),
        ("-c con.txt", "", "", False, "constraint"),
        ("-rbase.txt", "", "", False, "include"),
        ("--requirement=base.txt", "", "", False, "include"),
    ],
)
def test_one_line(text: str, name: str, specifier: str, pinned: bool, kind: str) -> None:
    (found,) = requirements.parse(text)
    assert (found.name, found.specifier, found.pinned, found.kind) == (name, specifier, pinned, kind)


@pytest.mark.parametrize(
    "text", ["", "# a", "--index-url https://x", "--no-binary :all:", "this is prose", "!!", "{{ x }}"]
)
def test_no_requirement(text: str) -> None:
    assert requirements.parse(text) == ()


def test_conda() -> None:
    (node,) = yaml.parse(
        "dependencies:\n  - python=3.9\n  - conda-forge::numpy=1.21.0\n  - scipy==1.2\n  - a=1.2=py_0\n  - b>=1\n"
        "  - c 1.2\n  - d\n  - e=1.2.*\n  - pip:\n    - mlflow==2.0\n    - -r r.txt\n  - 7\n"
    )
    found = [(r.name, r.pinned, r.line, r.kind) for r in requirements.parse_conda(node)]
    assert found[:8] == [
        ("python", False, 2, "package"),
        ("numpy", True, 3, "package"),
        ("scipy", True, 4, "package"),
        ("a", True, 5, "package"),
        ("b", False, 6, "package"),
        ("c", False, 7, "package"),
        ("d", False, 8, "package"),
        ("e", False, 9, "package"),
    ]
    assert found[8:10] == [("mlflow", True, 11, "package"), ("", False, 12, "include")]


def test_conda_without_dependencies() -> None:
    assert requirements.parse_conda(yaml.parse("dependencies: x\n")[0]) == ()
    assert requirements.parse_conda(yaml.parse("- 1\n")[0]) == ()


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=200), mutations(SAMPLE), st.text("ab=<>~![];@-/.\\\n #1", max_size=100)))
def test_never_raises(text: str) -> None:
    assert all(requirement.line >= 1 for requirement in requirements.parse(text))
    for document in yaml.parse("dependencies:\n  - x\n"):
        requirements.parse_conda(document)
    requirements._conda(text, 1)
