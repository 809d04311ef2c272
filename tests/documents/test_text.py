from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents.text import decode, looks_binary


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xef\xbb\xbfa\r\nb\rc", "a\nb\nc"),
        ("é\r\n".encode("utf-16"), "é\n"),
        (b"\xfe\xff\x00a", "a"),
        (b"caf\xe9", "café"),
        ("日本".encode(), "日本"),
        (b"", ""),
    ],
)
def test_decode(data: bytes, expected: str) -> None:
    assert decode(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", False),
        (b"text\n", False),
        (b"a\0b", True),
        ("é".encode("utf-16"), False),
        (b"\x80\x04\x95\x01\x02\x03\x04\x05", True),
        (b"\x1b[31mred\x1b[0m", False),
        (b"caf\xe9", False),
    ],
)
def test_looks_binary(data: bytes, expected: bool) -> None:
    assert looks_binary(data) is expected


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_never_raises(data: bytes) -> None:
    assert "\r" not in decode(data)
    looks_binary(data)
