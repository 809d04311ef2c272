"""Files that a user hands over: bounded, and errors that name the file and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.errors import RuleError, ScanError
from mlops_scan.given import read_text


def test_a_byte_order_mark_is_no_part_of_the_text_and_line_ends_stay(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\n")
    assert read_text(file, 100) == "a: 1\r\nb: 2\n"
    assert read_text(file, 100, encoding="utf-8").startswith("\ufeffa")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x" * 11, r"the rules .*a\.yaml is larger than 10 bytes"),
        (b"a\xff", r"the rules .*a\.yaml: cannot be read: it is not UTF-8 \(invalid start byte at byte 1\)"),
        (None, r"the rules .*a\.yaml: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_read_is_an_error_of_the_wanted_kind(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "a.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RuleError, match=message):
        read_text(file, 10, "the rules", RuleError)
    with pytest.raises(ScanError):
        read_text(file, 10)
