"""Python requirements, from pip's requirements files and conda's environment files."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.documents.bounds import check_size, unix_lines
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.regex import regex

_OPTION = regex(r"(-r|-c|-e|--requirement|--constraint|--editable)(?:\s*=\s*|\s+|(?<=-[rce]))(\S.*)")
_KINDS = {"-r": "include", "--requirement": "include", "-c": "constraint", "--constraint": "constraint"}
_HASH = regex(r"--hash[= ][ \t]*\S+")
_PER_REQUIREMENT = regex(r"(?<=\s)--(?:global-option|install-option|config-settings?)[= ].*")
_COMMENT = regex(r"(?:^|\s)#.*")
_COMMIT = regex(r"@[0-9a-fA-F]{40}\b")
_URL = regex(r"(?:[a-z]+\+)?(?:https?|ssh|file|git|s3|gs)://|git\+|\.{0,2}/", words=("git+", "/"))
_EGG = regex(r"[#&]egg=([A-Za-z0-9][\w.-]*)")
_WHEEL = regex(r"([A-Za-z0-9][\w.]*)-[0-9][^/-]*(?:-[^/]*)?\.(?:whl|tar\.gz|zip)\b")
_VERSIONED = regex(
    r"[A-Za-z0-9][\w.]*-[0-9][^/${}-]*(?:-[^/${}-]+){3,4}\.whl\Z", words=(".whl",)
)  # by the name of a wheel
_LENIENT = regex(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[\w\s,.-]*\])?\s*(?:([<>=!~]=?=?\s*[^;#\s]+)\s*)?(?:;.*)?\Z")
_SHORT = regex(  # the most frequent part of `_PLAIN`, which takes a millisecond to compile
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[A-Za-z0-9]+\])?[ ]?"
    r"([<>=]=[ ]?[0-9]{1,9}(?:\.[0-9]{1,9}){0,9}(?:,[ ]?<[ ]?[0-9]{1,9}(?:\.[0-9]{1,9}){0,9})?)?"
)
_IDENTIFIER = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_EXTRAS = rf"(?:\[{_IDENTIFIER}(?:,[ ]?{_IDENTIFIER}){{0,20}}\])?"
_PLAIN = regex(rf"({_IDENTIFIER}){_EXTRAS}[ ]{{0,4}}([^\s@;(][^@;(]*)?(?:;[ ]?(.+))?")  # in parts, which compile faster
_CLAUSE = regex(
    r"([<>]=?|===?|[!~]=)[ ]?(v?[0-9]{1,9}(?:\.[0-9]{1,9}){0,9})"
    r"(\.\*|\.post[0-9]{1,9}|(?:a|b|rc)[0-9]{1,9}|\.?dev(?:[0-9]{1,9})?|\+[a-z0-9]{1,20}(?:\.[a-z0-9]{1,20}){0,5})?"
)
_MARKER = (
    r"\(?(?:python_version|python_full_version|sys_platform|platform_system|platform_machine|os_name"
    r"|platform_python_implementation|implementation_name)"
    r"[ ]?(?:[<>]=?|[=!]=)[ ]?(?:'[A-Za-z0-9_ .-]*'|\"[A-Za-z0-9_ .-]*\")\)?"
)
_MARKERS = regex(rf"{_MARKER}(?:[ ](?:and|or)[ ]{_MARKER}){{0,19}}")
_DIRECT = regex(rf"({_IDENTIFIER}){_EXTRAS}[ ]{{0,4}}@[ ]{{0,4}}([^\s;]+)")
_REFUSED = regex(  # behind its name, what the library refuses: a path, a second word, one `=`, a placeholder
    r"[A-Za-z0-9][A-Za-z0-9._-]*(?:[^\s\[@(=<>!~;A-Za-z0-9._-]|\s+[^\s\[@(=<>!~;]|\s*=[^=]|\s*(?:[<>=!~]=|[<>])\s*\{)"
)
_SEPARATORS = regex(r"[-_.]+")
_MAX_REQUIREMENTS = 10_000
_FILE_NAME = 255  # characters of the end of a URL that can be the name of a file
_CONDA = regex(r"(?:[\w./-]+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)")
_CONDA_PINNED = regex(r"(?:==\s*[^*,|<>=\s]+|=?\s*[^*,|<>=\s]+=[^=,|<>\s]+|=\s*\d+\.\d+\.[^*,|<>=\s]+)\Z")


class Requirement(Struct, frozen=True):
    """One line of a requirements file.

    `name` is normalised (empty for includes and for URLs that do not tell), `specifier` as the file has it. `kind` is
    "package", "include", "constraint", "editable" or "url"; `target` the file of an include or the URL.
    """

    name: str
    specifier: str
    pinned: bool
    hashed: bool
    line: int
    kind: str = "package"
    target: str = ""


def parse(text: str) -> tuple[Requirement, ...]:
    """The requirements of a pip file; lines that are none are skipped.

    Raises DocumentError for more than 2 MB and, with the first of them as `.partial`, for more than 10 000 of them.
    """
    check_size(text)
    found: list[Requirement] = []
    for line, content in _joined(unix_lines(text.removeprefix("\ufeff")).split("\n")):
        requirement = parse_line(content, line)
        if requirement is not None:
            if len(found) == _MAX_REQUIREMENTS:
                raise DocumentError(f"more than {_MAX_REQUIREMENTS} requirements", line, tuple(found))
            found.append(requirement)
    return tuple(found)


def parse_line(text: str, line: int = 1) -> Requirement | None:
    """One requirement as pip writes it, or None where the text is none. Never raises."""
    text = text.strip()
    short = _SHORT.fullmatch(text)  # most lines: nothing of what is looked for below can be in it
    if short is not None:
        return _of_clauses(short.group(1), short.group(2) or "", False, line)
    if "#" in text:
        text = _COMMENT.sub("", text).strip()
    if not text:
        return None
    if text.startswith("-"):
        option = _OPTION.match(text)
        return _option(option.group(1), option.group(2).strip(), line) if option else None
    hashed = "--hash" in text
    if "--" in text:
        text = _PER_REQUIREMENT.sub("", _HASH.sub("", text)).strip()
    if ("/" in text or "git+" in text) and _URL.match(text):
        return _url(text, hashed, line)
    if not text[:1].isalnum():
        return None  # a name begins so
    return _plain(text, hashed, line) or _other(text, hashed, line)


def _plain(text: str, hashed: bool, line: int) -> Requirement | None:
    """What nearly all lines are: a name, some bounds of its version, conditions of its environment.

    None for what the library's grammar may not take as well, or read in another way.
    """
    short = _SHORT.fullmatch(text)
    if short is not None:
        return _of_clauses(short.group(1), short.group(2) or "", hashed, line)
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    name, bounds, marker = match.group(1), (match.group(2) or "").strip(" "), match.group(3)
    if bounds and not all(_is_clause(clause.strip(" ")) for clause in bounds.split(",")):
        return None
    return _of_clauses(name, bounds, hashed, line) if marker is None or _is_marker(marker) else None


def _is_clause(text: str) -> bool:
    """Whether a text bounds a version as the library's grammar has it."""
    match = _CLAUSE.fullmatch(text)
    if match is None:
        return False
    operator, version, tail = match.group(1), match.group(2), match.group(3) or ""
    if operator in ("===", "~="):
        return not tail and (operator == "===" or "." in version)
    return operator in ("==", "!=") or (tail != ".*" and not tail.startswith("+"))


def _is_marker(text: str) -> bool:
    """Whether a text is of conditions that the library knows, some of them in parentheses."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if not 0 <= depth <= 1:
            return False
    return depth == 0 and _MARKERS.fullmatch(text) is not None


def _of_clauses(name: str, bounds: str, hashed: bool, line: int) -> Requirement | None:
    """A requirement of bounds that the library reads as they stand; None where two of them may say the same."""
    if "," not in bounds:
        clause = "".join(bounds.split())
        pinned = clause.startswith("==") and not clause.endswith(".*")
        return Requirement(normalised(name), clause, pinned, hashed, line)
    clauses = sorted("".join(bounds.split()).split(","))
    if len(clauses) > 1 and len({_said(clause) for clause in clauses}) < len(clauses):
        return None
    pinned = any(clause.startswith("==") and not clause.endswith(".*") for clause in clauses)
    return Requirement(normalised(name), ",".join(clauses), pinned, hashed, line)


def _said(clause: str) -> str:
    """What is equal for bounds of one kind that may say the same: `==1.0` and `==1`."""
    kind = clause.rstrip("abcdefghijklmnopqrstuvwxyz0123456789.*+")
    version = clause[len(kind) :].lstrip("v")
    parts = version.split(".")
    while parts[-1].strip("0") == "" and len(parts) > 1:
        parts.pop()
    exact = version.endswith(".*") or all(map(str.isdecimal, parts))
    return f"{kind} {'.'.join(part.lstrip('0') for part in parts)}" if exact else kind


def _other(text: str, hashed: bool, line: int) -> Requirement | None:
    """A requirement with a URL, or what is read by the library."""
    direct = _DIRECT.fullmatch(text)
    if direct is not None:
        url = direct.group(2)
        return Requirement(normalised(direct.group(1)), "", _url_pinned(url, hashed), hashed, line, "url", url)
    return _lenient(text, hashed, line) if _REFUSED.match(text) else _by_packaging(text, hashed, line)


def _by_packaging(text: str, hashed: bool, line: int) -> Requirement | None:
    """What is more than a name and a version; the library's grammars take longer to load than a small scan to run."""
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as PackagingRequirement

    try:
        parsed = PackagingRequirement(text)
    except (InvalidRequirement, ValueError, RecursionError):
        return _lenient(text, hashed, line)
    name = normalised(parsed.name)
    if parsed.url:
        return Requirement(name, "", _url_pinned(parsed.url, hashed), hashed, line, "url", parsed.url)
    exact = any(s.operator == "===" or (s.operator == "==" and not s.version.endswith(".*")) for s in parsed.specifier)
    return Requirement(name, str(parsed.specifier), exact, hashed, line)


def normalised(name: str) -> str:
    """The name of a distribution as PEP 503 compares it."""
    if name.isalnum():
        return name.lower()
    return _SEPARATORS.sub("-", name).lower()


def parse_conda(node: Node) -> tuple[Requirement, ...]:
    """The requirements of an environment.yml, its nested `pip:` list included."""
    dependencies = node.get("dependencies")
    found: list[Requirement] = []
    for item in dependencies.items if dependencies is not None else ():
        text = item.string()
        if text is not None:
            requirement = _conda(text.strip(), item.line)
            found.extend([requirement] if requirement else [])
        nested = item.get("pip")
        for entry in nested.items if nested is not None else ():
            requirement = parse_line(entry.string() or "", entry.line)
            found.extend([requirement] if requirement else [])
    return tuple(found)


def _joined(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Logical lines with their first line's number; comment lines end no continuation.

    Of many hashes in lines of their own the first stands for all: a resolver writes dozens for one requirement.
    """
    parts: list[str] = []
    start, seen = 0, False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("#") or not (text or parts):
            continue
        if not parts:
            start = number
        if text.endswith("\\"):
            hashes = text.startswith("--hash=") and text.endswith(" \\") and text.count(" ") == 1
            if not (hashes and seen):
                parts.append(text[:-1].strip())
            seen = hashes
            continue
        yield start, " ".join([*parts, text]) if parts else text
        parts, seen = [], False
    if parts:
        yield start, " ".join(parts)


def _option(option: str, value: str, line: int) -> Requirement:
    kind = _KINDS.get(option)
    value = value.strip("\"'")
    if kind:
        return Requirement("", "", False, False, line, kind, value)
    url = _url(value, False, line)
    return replace(url, kind="editable")


def _url(text: str, hashed: bool, line: int) -> Requirement:
    target = text.split(";")[0].strip() if " ;" in text else text
    named = _EGG.search(target) or _WHEEL.search(target.rpartition("/")[2][:_FILE_NAME])
    name = normalised(named.group(1)) if named else ""
    return Requirement(name, "", _url_pinned(target, hashed), hashed, line, "url", target)


def _url_pinned(url: str, hashed: bool) -> bool:
    if hashed or "#sha256=" in url or "&sha256=" in url or _COMMIT.search(url) is not None:
        return True
    return _VERSIONED.match(url.partition("#")[0].rpartition("/")[2][-_FILE_NAME:]) is not None


def _lenient(text: str, hashed: bool, line: int) -> Requirement | None:
    """Old spellings that `packaging` refuses but that name a package: `torch==1.0+cu*`, `x>=1.*`, `x =1.0`."""
    match = _LENIENT.match(text)
    if match is None or not match.group(2):
        return None
    specifier = match.group(2)
    pinned = specifier.startswith("==") and "*" not in specifier and "," not in specifier
    return Requirement(normalised(match.group(1)), specifier, pinned, hashed, line)


def _conda(text: str, line: int) -> Requirement | None:
    match = _CONDA.match(text.split(" #")[0].strip())
    if match is None:
        return None
    specifier = match.group(2).split("[")[0].strip()
    parts = specifier.split()
    if len(parts) == 2 and parts[0][0].isdigit():  # `name version build`
        specifier = f"={parts[0]}={parts[1]}"
    elif specifier[:1].isdigit():  # `name 1.2`
        specifier = f"={specifier}"
    return Requirement(normalised(match.group(1)), specifier, _CONDA_PINNED.match(specifier) is not None, False, line)
