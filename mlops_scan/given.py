"""Files that a user hands over beside the repository: settings, rules, baselines, attestations."""

from __future__ import annotations

from pathlib import Path

from mlops_scan.errors import ScanError


def read_text(
    path: Path, limit: int, what: str = "", error: type[ScanError] = ScanError, encoding: str = "utf-8-sig"
) -> str:
    """The text of a file, its line ends as they are.

    Args:
        path: the file.
        limit: the most bytes that it may have.
        what: what the file is, for messages: "the baseline".
        error: the kind of error to raise.
        encoding: a byte order mark is no part of the text unless this says so.

    Raises:
        ScanError: it is larger, cannot be read or is not of this encoding; of the kind `error`.
    """
    shown = f"{what} {path}".lstrip()
    try:
        if path.stat().st_size > limit:
            raise error(f"{shown} is larger than {limit} bytes")
        return path.read_bytes().decode(encoding)
    except OSError as failed:
        raise error(f"{shown}: cannot be read: {failed.strerror or failed}") from failed
    except UnicodeDecodeError as failed:
        raise error(f"{shown}: cannot be read: it is not UTF-8 ({failed.reason} at byte {failed.start})") from failed
