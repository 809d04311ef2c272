"""The texts of a repository: each file is read once, what could not be read is noted, and memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from msgspec.structs import replace

from mlops_scan.digests import blake2b
from mlops_scan.documents.languages import language_of
from mlops_scan.documents.text import SAMPLE, contains, decode, looks_binary
from mlops_scan.repository.files import File
from mlops_scan.repository.lfs import is_pointer
from mlops_scan.words import FOREIGN, Incomplete, Role

TEXT_LIMIT = 8_000_000  # bytes of a text file worth parsing; notebooks with pictures are the largest
HEAD_LIMIT = 256  # bytes of a file of which only the beginning tells

_FEW = 4_000_000  # characters of all texts that may stay in memory whatever they are
_MOST = 8_000_000  # characters of texts in memory, beyond which one more is kept for a while only
_UNREAD = -1  # in the place of a size
_LONG = 300_000  # characters of a text of which more than the marks of every file is hardly asked
_AGAIN = 2_000_000  # characters or bytes of released texts that are kept once they have been read again
_CONTENT = frozenset({Role.DATA, Role.MODEL})

_CHANGED = "changed while it was scanned"
_T = TypeVar("_T")

Seen = tuple[Any, ...]
"""What reading a file has shown; it can be marshalled."""


def fingerprint(data: bytes) -> bytes:
    """What tells the content of a file from every other."""
    return blake2b(data, digest_size=16).digest()


class _Released(NamedTuple):
    """What is kept of a text that was let go."""

    marks: tuple[str, ...] | None
    """Those that it has of what `expect` was told; None where nobody looked."""
    identity: int
    bytewise: bool
    """Whether the identity is that of the bytes, and not of the decoded text."""
    few: bool
    """Whether only those marks were looked for that are asked of every file."""


class TextStore:
    """The texts of one scan by path."""

    def __init__(self, files: Iterable[File], lasting: bool = True) -> None:
        self._lasting = lasting  # somebody will want to know whether the files are still the same
        self.files = {file.path: file for file in files}
        self.incomplete: dict[str, Incomplete] = {}
        self.files_read = 0
        self.bytes_read = 0
        self.reads: dict[str, bytes] = {}  # the fingerprint of each file read, empty where that failed or nobody asks
        self.heads: dict[str, bytes] = {}
        self._begun: dict[str, int] = {}  # bytes read of files of which only the beginning was
        self._texts: dict[str, str] = {}
        self._held = 0  # characters of the texts that are kept
        self._marks: tuple[str, ...] = ()
        self._text_marks: tuple[str, ...] = ()
        self._released: dict[str, _Released] = {}
        self._again: dict[str, str | bytes] = {}  # of those released, the ones read last
        self._again_size = 0
        self._forgotten: set[str] = set()
        self._news: dict[str, int] | None = None  # in another process: the files of which it knows more, bytes read

    def rename_role(self, path: str, role: Role) -> None:
        """Give a file another role, which only its content shows."""
        self.files[path] = replace(self.files[path], role=role)

    def text(self, path: str) -> str:
        """The decoded text of a file; empty for binaries, unreadable and over-long files (those are noted)."""
        if path in self._texts:
            return self._texts[path]
        again = self._again.get(path)
        if isinstance(again, str):
            return again
        known = self._released.get(path)
        if known is not None and known.bytewise:
            return decode(self.data(path))
        text = decode(self._content(path))
        if known is None:
            self._texts[path] = text
            self._held += len(text)
            if self._held < _MOST:
                return text
            self.let_go(path)
        elif known.identity != hash(text):
            self.note(path, _CHANGED)
            text = ""
        elif known.marks is None:
            self._released[path] = known._replace(marks=self._marks_in(text, known.few))
        self._keep_again(path, text)
        return text

    def data(self, path: str) -> bytes:
        """The bytes of a file, empty where `text` is; they are not kept for long, only the marks that they hold."""
        again = self._again.get(path)
        if isinstance(again, bytes):
            return again
        known = self._released.get(path)
        if path in self._texts or (known is not None and not known.bytewise):
            return self.text(path).encode("utf-8", "surrogatepass")
        data = self._content(path)
        if known is None:
            marks = tuple(mark for mark in self._marks if contains(data, mark))
            self._released[path] = _Released(marks, hash(data), True, True)
        elif known.identity != hash(data):
            self.note(path, _CHANGED)
            data = b""
        self._keep_again(path, data)
        return data

    def content(self, path: str) -> str | bytes:
        """The text of a file, or its bytes where these are at hand and have the same lines."""
        known = self._released.get(path)
        if path in self._texts or known is None or not known.bytewise:
            return self.text(path)
        data = self.data(path)
        return decode(data) if b"\r" in data or b"\0" in data[:4] else data

    def keeps(self, path: str) -> bool:
        """Whether the text of a file is in memory, to stay there."""
        return path in self._texts

    def _keep_again(self, path: str, content: str | bytes) -> None:
        """Keep what was let go and read again, in the place of what was read longest ago."""
        self._again[path] = content
        self._again_size += len(content)
        while self._again_size > _AGAIN and len(self._again) > 1:
            oldest = next(iter(self._again))
            self._again_size -= len(self._again.pop(oldest))

    def _content(self, path: str) -> bytes:
        """The bytes of a file whose text can be read; empty where it cannot."""
        file = self.files.get(path)
        if file is None:
            return b""
        if file.size > TEXT_LIMIT and not file.lfs:
            if file.role not in _CONTENT:  # of which nothing but the size is evidence
                self.note(path, f"larger than {TEXT_LIMIT // 1_000_000} MB; not read")
            return b""
        try:
            data = file.read(TEXT_LIMIT)
        except OSError as error:
            self.reads.setdefault(path, b"")
            self._is_new(path)
            self.note(path, f"cannot be read: {error.strerror or error}")
            return b""
        if path not in self.reads:
            begun = self._begun.pop(path, None)
            self.files_read += begun is None
            self.bytes_read += len(data) - (begun or 0)
            self.reads[path] = fingerprint(data) if self._lasting else b""
            self._is_new(path, len(data))
        if is_pointer(data):
            if language_of(path):
                self.note(path, "is a Git-LFS pointer; the content is not in the repository")
            return b""
        if looks_binary(data):
            if language_of(path) and file.role not in FOREIGN:
                self.note(path, "is binary, not the text its name promises")
            return b""
        return data

    def is_shared(self, path: str) -> bool:
        """Whether another process, forked from this one, can have the text of a file without being in our way."""
        return path in self._texts or self.files[path].source.shared

    # -- other processes ---------------------------------------------------------------------------------------------

    def observed(self, path: str, work: Callable[[], _T], marked: bool = True) -> tuple[_T, Seen]:
        """Do something that reads one file, and say what reading it has shown, for `take` in another process.

        A text that was not held before is let go, as `let_go` does it.
        """
        held = path in self._texts
        result, news = self.apart(work)
        if not held:
            self.let_go(path, marked)
        released = self._released.get(path)
        return result, (news, None if released is None else tuple(released))

    def take(self, path: str, seen: Seen) -> None:
        """Take over what another process has seen of a file, as if it had been read here and let go."""
        news, released = seen
        for item in news:
            self.join(item)
        if path in self._texts:
            return
        known = self._released.get(path)
        if released is None:
            if known is None:
                self._texts[path] = ""
        elif known is None or (known.marks is None and known == _Released(None, *released[1:])):
            self._released[path] = _Released(*released)

    def apart(self, work: Callable[[], _T]) -> tuple[_T, tuple[Seen, ...]]:
        """Do something that may read any files, and say what that has shown of each, for `join` in another process."""
        self._news = {}
        result = work()
        news, self._news = self._news, None
        return result, tuple((path, *self._known_of(path, size)) for path, size in news.items())

    def _is_new(self, path: str, size: int = _UNREAD) -> None:
        """Remember that there is something new to know of a file, which has so many bytes if they were read now."""
        if self._news is not None:
            self._news[path] = max(size, self._news.get(path, _UNREAD))

    def _known_of(self, path: str, size: int) -> Seen:
        noted = self.incomplete.get(path)
        return (
            self.reads.get(path),
            max(size, self._begun.get(path, _UNREAD)),
            self.heads.get(path),
            noted.reason if noted is not None else "",
        )

    def join(self, seen: Seen, noted_later: bool = False) -> None:
        """Take over what another process has seen of a file in `apart`, as if it had been seen here.

        Of the reasons noted of a file the first counts; `noted_later` says that the one known here is not the first.
        """
        path, print_, size, head, reason, *_ = seen
        if path not in self.reads:
            begun = self._begun.get(path, _UNREAD)
            self.files_read += begun == _UNREAD < size
            self.bytes_read += max(0, size - max(0, begun))
            if print_ is not None:
                self.reads[path] = print_
                self._begun.pop(path, None)
            elif size > begun:
                self._begun[path] = size
        if head is not None:
            self._keep_head(path, head)
        if reason and (noted_later or path not in self.incomplete):
            self.incomplete[path] = Incomplete(path, reason)

    # -- memory ------------------------------------------------------------------------------------------------------

    def release(self, paths: Iterable[str]) -> None:
        """Let go of texts of which hardly anybody will ask more than what `expect` was told, if there are many.

        Code is most of the text of a repository, and once its facts are known only its evidence is shown. Whoever asks
        for more has the file read again; one that has changed since gives nothing.
        """
        if self._held >= _FEW:
            for path in paths:
                self.let_go(path)

    def expect(self, marks: Iterable[str], of_texts: Iterable[str] = ()) -> None:
        """Say which marks will be asked of what is let go from now on; `of_texts` hardly of long ones and of bytes."""
        self._marks = tuple(marks)
        self._text_marks = (*self._marks, *of_texts)

    def thin_out(self, path: str, marked: bool = True) -> None:
        """Let go of a text that has been looked at, if there are many; it is read again if it turns out to matter."""
        if self._held >= _FEW:
            self.let_go(path, marked)

    def let_go(self, path: str, marked: bool = True) -> None:
        """Let go of one text, as `release` does.

        One that is not `marked` without a look at what `expect` was told: there is one when it is read again.
        """
        text = self._texts.pop(path, None)
        if text:
            self._held -= len(text)
            long = len(text) > _LONG
            marks = self._marks_in(text, long) if marked else None
            self._released[path] = _Released(marks, hash(text), False, long)

    def _marks_in(self, text: str, few: bool) -> tuple[str, ...]:
        return tuple(mark for mark in (self._marks if few else self._text_marks) if mark in text)

    def holds(self, path: str, mark: str) -> bool:
        """Whether the text of a file has `mark` in it."""
        known = self._released.get(path)
        if known is None or known.marks is None or mark not in (self._marks if known.few else self._text_marks):
            return mark in self.text(path)
        return mark in known.marks

    def identity(self, path: str) -> int:
        """What is equal for files of the same text, and for no others."""
        return self._released[path].identity if path in self._released else hash(self.text(path))

    def forget(self, path: str) -> None:
        """Let go of a text that nobody is going to ask for; it would be read again."""
        self._held -= len(self._texts.pop(path, ""))
        self._forgotten.add(path)

    def swept(self, path: str) -> str:
        """The text of a file, empty where it was let go because nothing in it matters."""
        return "" if path in self._forgotten else self.text(path)

    def swept_holds(self, path: str, mark: str) -> bool:
        """Whether the text of a file has `mark` in it; not where it was let go because nothing in it matters."""
        return path not in self._forgotten and self.holds(path, mark)

    def head(self, path: str) -> bytes:
        """The first bytes of a file that is not read as text; empty where it cannot be read."""
        try:
            data = self.files[path].read(HEAD_LIMIT)
        except OSError:
            data = b""
        self._keep_head(path, data)
        return data

    def _keep_head(self, path: str, data: bytes) -> None:
        """Remember the first bytes that something of the report rests on."""
        if len(data) >= len(self.heads.get(path, b"")):
            self.heads[path] = data
            self._is_new(path)

    def first_line(self, path: str) -> str | None:
        """The first line of a data or model file as `text` has it; None where the first bytes do not tell.

        Such a file is named, but what is in it is nobody's evidence, and all of it may be megabytes.
        """
        file = self.files.get(path)
        if file is None or file.role not in _CONTENT or file.lfs or file.size > TEXT_LIMIT or language_of(path):
            return None
        if path in self._texts or path in self._released:
            return None
        try:
            data = file.read(SAMPLE)
        except OSError:
            return None
        self._keep_head(path, data)
        if path not in self._begun:
            self._begun[path] = len(data)
            self.files_read += 1
            self.bytes_read += len(data)
        if looks_binary(data):
            return ""
        first = data.replace(b"\r", b"\n").partition(b"\n")
        return first[0].decode() if first[1] and first[0].isascii() else None

    def note(self, path: str, reason: str) -> None:
        """List a file as incomplete, with the first reason given for it."""
        role = self.files[path].role if path in self.files else Role.SOURCE
        if role in FOREIGN or (role is Role.TEST and "test" not in path.rpartition("/")[2]):
            return  # broken on purpose, or nobody's evidence: a gate must not stumble over it
        self.incomplete.setdefault(path, Incomplete(path, reason))
        self._is_new(path)
