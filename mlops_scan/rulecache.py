"""The rule book in compiled form: to read and check its YAML anew would be a good part of a small scan.

The build of the package leaves it beside this module; a source tree that is worked in keeps it in the user's cache
folder. Its head names the content of the rules and the shape of the classes, so a change of either is never missed. A
file that cannot be read or written is done without.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from mlops_scan.assetrules import AssetRule, AssetSample
from mlops_scan.digests import blake2b
from mlops_scan.kindrules import KindRule
from mlops_scan.rolerules import RoleRule
from mlops_scan.rulemodels import Level, MaturityModel, Row, ScoreTest, Section
from mlops_scan.ruletypes import FindingDefinition, Practice, RuleBook, Sample, Scaffold, Signature, Tool, Wrapper

NAME = "rules.msgpack"
_KINDS = (
    RuleBook, Tool, Signature, Wrapper, Sample, Practice, FindingDefinition, Scaffold, AssetRule, AssetSample, KindRule,
    RoleRule, MaturityModel, Level, Row, ScoreTest, Section,
)  # fmt: skip
_Book = TypeVar("_Book")


def find(key: bytes, kind: type[_Book], *, users: bool) -> _Book | None:
    """The compiled form of the rules whose content has the digest `key`; from the user's cache only if `users`."""
    head = _head(key)
    for users_own in (False, True) if users else (False,):
        with suppress(OSError, msgspec.MsgspecError):
            data = (_cached(key) if users_own else _shipped()).read_bytes()
            if data.startswith(head):
                return msgspec.msgpack.decode(memoryview(data)[len(head) :], type=kind)
    return None


def compiled(key: bytes, book: object) -> bytes:
    """What `find` reads."""
    return _head(key) + msgspec.msgpack.encode(book)


def keep(key: bytes, book: object) -> None:
    """Leave the compiled form in the user's cache folder, in the place of an earlier one."""
    import tempfile

    target = _cached(key)
    with suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        for old in target.parent.glob("rules-*"):
            old.unlink(missing_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(compiled(key, book))
        Path(name).replace(target)


def _shipped() -> Path:
    return Path(__file__).resolve().with_name(NAME)


def _cached(key: bytes) -> Path:
    from mlops_scan.cache import folder

    return folder() / f"rules-{key.hex()[:32]}.msgpack"


def _head(key: bytes) -> bytes:
    shape = repr([(kind.__name__, kind.__annotations__) for kind in _KINDS])
    return blake2b(key + shape.encode(), digest_size=32).digest()
