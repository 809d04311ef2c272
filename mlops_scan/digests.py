"""The hash functions of every scan, without OpenSSL.

`hashlib` loads OpenSSL when it is imported, whichever function is asked for, and that takes longer than all the hashing
of a small scan. The modules below belong to CPython and hold the same functions; the standard library's `random` takes
its own from there too. A Python that lacks them gets those of `hashlib`. For large data `hashlib.sha256` is faster.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

__all__ = ["blake2b", "sha1", "sha256"]

if TYPE_CHECKING:
    from hashlib import _Hash, blake2b, sha256
else:
    try:
        from _blake2 import blake2b

        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import blake2b, sha256


def sha1(data: bytes = b"") -> _Hash:
    """As of `hashlib`; loaded when it is called, since only files of some checkouts are told by it."""
    try:
        from _sha1 import sha1 as function  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import sha1 as function
    hashed: _Hash = function(data)  # noqa: S324 -- names of git objects
    return hashed
