"""What each kind of source gives before roles are told: names, sizes, where the bytes are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.repository.files import Source
from mlops_scan.words import Incomplete

_NAMED = 3  # submodules that a notice names


class Item(NamedTuple):
    """One regular file: path with forward slashes, bytes, where to read them, `File.stamp`."""

    path: str
    size: int
    source: Source
    stamp: int = 0


class Listing(Struct, frozen=True):
    """The files of a source; `close` gives back the processes and files that its reading holds."""

    items: list[Item]
    revision: str | None = None
    notices: tuple[str, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()
    close: tuple[Callable[[], None], ...] = ()
    skipped: tuple[str, ...] = ()  # submodules that were not entered

    def with_notices(self) -> Listing:
        """The listing with one notice about the submodules that were skipped."""
        if not self.skipped:
            return self
        return replace(self, notices=(*self.notices, self._submodules()), skipped=())

    def _submodules(self) -> str:
        count, names = len(self.skipped), ", ".join(sorted(self.skipped)[:_NAMED])
        return f"{count} submodules are not entered ({names}{', …' if count > _NAMED else ''})"

    def joined(self, others: Iterable[Listing]) -> Listing:
        """This listing with the files of others in it."""
        parts = [self, *others]
        return Listing(
            [item for part in parts for item in part.items],
            self.revision,
            tuple(dict.fromkeys(notice for part in parts for notice in part.notices)),
            tuple(entry for part in parts for entry in part.incomplete),
            tuple(close for part in parts for close in part.close),
            tuple(name for part in parts for name in part.skipped),
        )

    def below(self, folder: str) -> Listing:
        """The listing as part of a larger one: every path starts with `folder`."""
        before = folder + "/"
        sources = {id(item.source): Below(before, item.source) for item in self.items}
        return replace(
            self,
            items=[Item(before + item.path, item.size, sources[id(item.source)], item.stamp) for item in self.items],
            incomplete=tuple(
                Incomplete((before + entry.path).removesuffix("/."), entry.reason) for entry in self.incomplete
            ),
            skipped=tuple(before + name for name in self.skipped),
        )


class Below(Struct, frozen=True):
    """The files of a source under longer paths."""

    before: str
    source: Source

    @property
    def shared(self) -> bool:
        """Whether the source is."""
        return self.source.shared

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of the file that the source knows by the rest of the path."""
        return self.source.read(path.removeprefix(self.before), limit)


def usable(path: str) -> bool:
    """Whether a name out of a git tree or an archive is a path below its root, and none of git's own files."""
    return bool(path) and not any(part in _REFUSED for part in path.split("/")) and "\0" not in path


_REFUSED = frozenset({"", ".", "..", ".git"})
