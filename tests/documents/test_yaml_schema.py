from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_scan.documents import yaml
from mlops_scan.documents.yaml_schema import scalar


def value(text: str) -> object:
    (node,) = yaml.parse(f"x: {text}")
    found = node.get("x")
    assert found is not None
    return found.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("12:30:00", "12:30:00"),
        ("1e-4", 1e-4),
        ("5e-2", 0.05),
        ("1.10", 1.1),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("-.inf", float("-inf")),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("!!int '1'", 1),
        ("0 3 * * *", "0 3 * * *"),
        ("2024-01-01", "2024-01-01"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_follow_the_core_schema(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@given(
    st.text(alphabet="0123456789.eE+-_xo \n\u0663", min_size=1, max_size=8)
    | st.from_regex(r"[-+]?[0-9.]+[eE]?[-+0-9]*")
)
def test_numbers_are_those_of_the_core_schema(text: str) -> None:
    found = scalar(text)
    if re.fullmatch(r"[-+]?[0-9]+", text):
        assert (type(found), found) == (int, int(text))
    elif re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        assert (type(found), found) == (float, float(text))
    elif not re.fullmatch(r"0o[0-7]+|0x[0-9a-fA-F]+", text):
        assert found == text
