from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents import dockerfile
from tests.documents.hostile import mutations

SAMPLE = """\
# syntax=docker/dockerfile:1
FROM --platform=x python:3.11 AS base
run --mount=type=cache,target=/x pip install a \\
  # comment
  b && \\

  c
RUN <<EOF
set -e
pytest
EOF
CMD ["python", "a.py"]
COPY <<-X /a
\thello
\tX
ENTRYPOINT python x
FROM base
"""


def test_instructions() -> None:
    found = dockerfile.parse(SAMPLE).instructions
    assert [(i.name, i.line, i.end_line) for i in found] == [
        ("FROM", 2, 2),
        ("RUN", 3, 7),
        ("RUN", 8, 11),
        ("CMD", 12, 12),
        ("COPY", 13, 15),
        ("ENTRYPOINT", 16, 16),
        ("FROM", 17, 17),
    ]
    assert found[1].value == "--mount=type=cache,target=/x pip install a b && c"
    assert len(found[1].script.split("\n")) == 5


def test_stages() -> None:
    stages = dockerfile.parse(SAMPLE).stages
    assert [(s.name, s.image, s.line) for s in stages] == [("base", "python:3.11", 2), ("", "base", 17)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('CMD ["a", "b c"]', ("a", "b c")),
        ("CMD ['a']", "['a']"),
        ('CMD [ "a" ', '[ "a"'),
        ("CMD a b", "a b"),
        ("RUN [ -f x ] && y", "[ -f x ] && y"),
        ("RUN --mount=a --network=none x --y", "x --y"),
        ("RUN <<EOF\na\nb\nEOF", "a\nb"),
        ("RUN bash -e <<'EOF'\na\nEOF", "a"),
        ("RUN python3 <<EOF\na\nEOF", "python3 <<EOF\na\nEOF"),
        ("RUN cat <<EOF > x\na\nEOF", "cat <<EOF > x\na\nEOF"),
        ("RUN a <<EOF", "a <<EOF"),
        ("# escape=`\nRUN a `\n  b", "a b"),
        ("RUN a \\\r\n  b", "a b"),
        ("ONBUILD RUN x", "RUN x"),
        ("RUN", ""),
    ],
)
def test_commands(text: str, expected: tuple[str, ...] | str) -> None:
    (instruction,) = dockerfile.parse(text).instructions
    assert dockerfile.commands(instruction) == expected


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=200), mutations(SAMPLE), st.text('RUN CMD[]"<E\n\\#', max_size=100)))
def test_never_raises(text: str) -> None:
    for instruction in dockerfile.parse(text).instructions:
        assert 1 <= instruction.line <= instruction.end_line
        dockerfile.commands(instruction)
