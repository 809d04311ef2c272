"""What the terminal can show: colours, hyperlinks, more than ASCII."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress

_LINKING_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio", "mintty", "zed"})
_LINKING_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm")
_COLUMNS = 80
_LINKING_VTE = 5000  # VTE 0.50 is the first with hyperlinks


def stdout_encoding() -> str:
    """The encoding of standard output; ASCII where it has none."""
    return getattr(sys.stdout, "encoding", None) or "ascii"


def shows_unicode() -> bool:
    """Whether standard output takes every character."""
    return stdout_encoding().replace("-", "").replace("_", "").lower().startswith("utf")


def width() -> int:
    """The columns of the terminal: as COLUMNS says, else as it does, 80 where nothing is known.

    `shutil.get_terminal_size` would say the same, but takes every compression library along.
    """
    with suppress(ValueError):
        if (told := int(os.environ.get("COLUMNS", ""))) > 0:
            return told
    try:
        out = sys.__stdout__
        return os.get_terminal_size(out.fileno()).columns or _COLUMNS if out is not None else _COLUMNS
    except (AttributeError, ValueError, OSError):
        return _COLUMNS


def wants_color(color: str, to_stdout: bool) -> bool:
    """Whether to colour: as told, else NO_COLOR, FORCE_COLOR and what standard output is."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if not to_stdout:
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return sys.stdout.isatty() and understands_escapes()


def shows_links(environment: Mapping[str, str]) -> bool:
    """Whether standard output is a terminal known to understand OSC 8 hyperlinks; FORCE_HYPERLINK decides otherwise.

    The list follows <https://github.com/Alhadis/OSC8-Adoption>.
    """
    forced = environment.get("FORCE_HYPERLINK")
    if forced is not None:
        return forced not in ("", "0")
    if not sys.stdout.isatty() or environment.get("CI") or environment.get("TERM") == "dumb":
        return False
    vte = environment.get("VTE_VERSION", "")
    return (
        environment.get("TERM_PROGRAM") in _LINKING_PROGRAMS
        or environment.get("TERM", "").startswith(_LINKING_TERMS)
        or "WT_SESSION" in environment
        or "KONSOLE_VERSION" in environment
        or "DOMTERM" in environment
        or (vte.isdecimal() and len(vte) < 9 and int(vte) >= _LINKING_VTE)
    )


def understands_escapes() -> bool:
    """Whether the terminal obeys escape sequences: no dumb one, no old Windows console."""
    if os.environ.get("TERM") == "dumb":
        return False
    if os.name != "nt":
        return True
    from rich.console import detect_legacy_windows

    return not detect_legacy_windows()
