"""What an argument that looks like a URL means, and whether git may be given it."""

from __future__ import annotations

import os
from pathlib import Path

from mlops_scan.errors import ScanError
from mlops_scan.regex import regex

TRANSPORTS = ("https", "ssh", "git")
_SCHEME = regex(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SCP_LIKE = regex(r"[\w.-]+@[\w.-]+:(?!//).+")
_HELPER = regex(r"[A-Za-z0-9][\w+.-]*::")


def is_url(text: str) -> bool:
    """Whether an argument names a remote repository (or means to) and not a path."""
    if ":" not in text:
        return False
    if _SCHEME.match(text) or _HELPER.match(text):
        return True
    return _SCP_LIKE.fullmatch(text) is not None and not Path(text).exists()


def local_path(url: str) -> Path | None:
    """The path that a `file://` URL names; None for other URLs."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    if parts.scheme.lower() != "file":
        return None
    if parts.netloc not in ("", "localhost"):
        raise ScanError(f"{url}: a file URL cannot name the host {parts.netloc!r}")
    from urllib.request import url2pathname

    return Path(url2pathname(parts.path) if os.name == "nt" else unquote(parts.path))


def without_secrets(url: str) -> str:
    """The URL without a password or token that it may hold, as reports show it; of ssh the user name stays."""
    scheme = _SCHEME.match(url) if ":" in url else None
    if scheme is None:
        return url
    before, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    user, _, place = host.rpartition("@")
    name = user.partition(":")[0] + "@" if user and scheme[1].lower() == "ssh" else ""
    return f"{before}://{name}{place}{slash}{path}"


def checked_url(url: str) -> str:
    """The URL, if git may be given it.

    Raises:
        ScanError: its transport is not one of those that are needed, or it could be taken for an option.
    """
    from urllib.parse import urlsplit

    shown = without_secrets(url)
    scheme = _SCHEME.match(url)
    if _HELPER.match(url) or (scheme is not None and scheme[1].lower() not in TRANSPORTS):
        raise ScanError(f"{shown}: only https, ssh, git and file URLs are fetched")
    host = urlsplit(url).hostname if scheme is not None else url.partition("@")[2].partition(":")[0]
    if url.startswith("-") or not host or host.startswith("-") or any(ord(c) < 33 or ord(c) == 127 for c in url):
        raise ScanError(f"{shown!r} is no URL of a repository")
    return url
