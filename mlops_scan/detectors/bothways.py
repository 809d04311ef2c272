"""Branches on a metric that are no gate: `if low: push(tuned) else: push(model)` releases a model on either way.

What a branch releases is told by its calls. A registration is one whatever name it gives the model, but for that of a
stage; a promotion or a deployment is the same one where it reads the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlops_scan.code.facts import Call, Guard, Module
from mlops_scan.code.guards import PROCEEDS
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any, regex

RELEASES = frozenset({"register", "promote", "deploy-model"})
"""What lets a model proceed."""
_PROCEEDS = RELEASES | {"deploy-pipeline"}
_PUSHES = regex(
    r"((push|deploy|promot|regist|publish|releas|upload)\w{0,40}_(model|champion|version)|model_(push|deploy|promot|regist|publish)\w*)",
    re.I,
    words=("model", "champion", "version"),
)  # by its name a step that lets a model proceed, whatever storage it goes to
_PUSHERS = regex(r"(^|\.)\w*Model(Push|Promot|Deploy|Publish)er\.\w+$")  # what an object of such a class does
_LEAVES = ("return", "raise", "sys.exit(", "exit(", "continue", "break")
_TRANSPARENT = ("with ", "async with ", "try:", "for ")  # what stands under them is done all the same
_IN_USE = regex(r"(^|[^a-z])(champion|incumbent|production|prod|deployed)($|[^a-z])", re.I)
"""Names of the model that is in use, or of its figures."""
_OLD = regex(r"(^|[^a-z])(current|existing|prev|previous|old)($|[^a-z])", re.I)
_NEW = regex(r"(^|[^a-z])(new|candidate|challenger|retrained)($|[^a-z])", re.I)
_WHILE_TRAINING = ("epoch", "patience", "early", "val_loss", "best_val", "checkpoint", "ckpt", "delta")
_FILE = regex(r"(model|champion|production|latest|weights|artifact|best|\.pkl|\.joblib|\.onnx|\.pt)", re.I)
_STORES = frozenset(
    {"copy", "copy2", "copyfile", "copytree", "move", "rename", "replace", "symlink", "symlink_to", "upload_file",
     "upload_fileobj", "upload_blob", "upload_from_filename", "put_object", "upload_folder"}
)  # fmt: skip
_ASSIGNED = regex(r"\s*((?:self\.)?[A-Za-z_]\w*)\s*=(?!=)")
_MAX_ABOVE = 300  # lines in which the loop around a branch is looked for
_STAGES = regex(r"champion|challenger|production|staging|archived|candidate|rejected", re.I)
_SUBMITS = (".submit", ".delay", ".apply_async", ".with_options")  # of a task, which is then run
_HOPS = 4
_MAX_LINES = 12  # of one call


class Release(NamedTuple):
    """A call that lets a model proceed, by itself or through the repository's code that it runs (`own`)."""

    line: int
    end_line: int
    does: frozenset[str]
    own: bool = False


@kept
def releases(context: Context, path: str, scope: str) -> tuple[Release, ...]:
    """The calls in a piece of code that let a model proceed, in no order."""
    return tuple(_releases(context, path, scope))


def _releases(context: Context, path: str, scope: str) -> Iterator[Release]:
    for use in context.by_node.get((path, scope), ()):
        does = _PROCEEDS.intersection(use.does)
        if does:
            yield Release(use.location.line, use.location.end_line or use.location.line, does)
    for call in context.index.calls_in(path, scope):
        if _PUSHES.search(last := call.name.rpartition(".")[2]) or _PUSHERS.search(call.name):
            does = frozenset({"register" if "regist" in last.lower() else "deploy-model"})
            yield Release(call.line, call.end_line, does)
        elif does := _run_by(context, path, call):
            yield Release(call.line, call.end_line, does, own=True)


def _run_by(context: Context, path: str, call: Call) -> frozenset[str]:
    """How the repository's code that a call runs, or makes a task of a pipeline of, lets a model proceed."""
    called = call.name.rpartition(".")[0] if call.name.endswith(_SUBMITS) else call.name
    for name in (called, *call.refs):
        target = context.index.resolve(path, name)
        if target.first_party:
            use = context.reaches(((target.path, target.qualname),), RELEASES, _HOPS)
            if use is not None:
                return RELEASES.intersection(use.does)
    return frozenset()


def replaces(context: Context, module: Module, guard: Guard) -> bool:
    """Whether a comparison of a model with the one in use decides if its file takes the place of that one."""
    names = " ".join(guard.names)
    told = _IN_USE.search(names) or (_OLD.search(names) and _NEW.search(names)) or has_any(names, PROCEEDS)
    if module.notebook or not told or has_any(names, _WHILE_TRAINING):
        return False
    if _in_loop(context.documents.text(module.path).split("\n"), guard.line):
        return False  # over epochs, or trials
    for call in context.index.calls_in(module.path, guard.scope):
        later = guard.stops in ("return", "exit") and call.line > guard.body_end
        if not later and not guard.line < call.line <= guard.body_end:
            continue
        target = context.index.resolve(module.path, call.name)
        inner = context.index.calls_in(target.path, target.qualname) if target.first_party else ()
        if _stores(context, module.path, call) or any(_stores(context, target.path, each) for each in inner):
            return True
    return False


def _stores(context: Context, path: str, call: Call) -> bool:
    """Whether a call writes, copies or uploads the file of a model."""
    saves = call.name.rpartition(".")[2] in _STORES or any(
        "save-model" in use.does and use.location.line == call.line
        for use in context.by_node.get((path, call.scope), ())
    )
    lines = range(call.line, min(call.end_line, call.line + _MAX_LINES) + 1) if saves else ()
    return _FILE.search(" ".join(context.line(path, line).partition(" #")[0] for line in lines)) is not None


def keeps_best(context: Context, module: Module, guard: Guard) -> bool:
    """Whether a branch in a loop chooses among epochs or trials: `if score > best: best = score`."""
    if module.notebook or not guard.ordered:
        return False
    held: set[str] = set()
    lines = context.documents.text(module.path).split("\n")
    for number in range(guard.line + 1, min(guard.body_end, len(lines)) + 1):
        made = _ASSIGNED.match(lines[number - 1])
        if made is not None:
            held.add(made.group(1).rpartition(".")[2])
    if held.isdisjoint(guard.names):
        return False
    return _in_loop(lines, guard.line)


def _in_loop(lines: Sequence[str], line: int) -> bool:
    """Whether a loop of the same function is around a line."""
    indent = _indent(lines[line - 1]) if line <= len(lines) else 0
    for number in range(line - 1, max(0, line - _MAX_ABOVE), -1):
        text = lines[number - 1]
        if text.strip() and _indent(text) < indent:
            indent = _indent(text)
            if text.lstrip().startswith(("for ", "while ", "async for ")):
                return True
            if text.lstrip().startswith(("def ", "class ", "async def ")):
                return False
    return False


def either_way(context: Context, module: Module, guard: Guard) -> bool:
    """Whether all that may be released on one way of an `if` is released on the other one as well.

    A release counts for both ways only where it is sure on each: not under a further condition.
    """
    found = releases(context, module.path, guard.scope)
    if module.notebook or not found:
        return False
    lines = context.documents.text(module.path).split("\n")
    if guard.line > len(lines) or not lines[guard.line - 1].lstrip().startswith(("if ", "if(", "elif ")):
        return False
    may: set[str] = set()
    sure: list[set[str]] = []
    for way in _ways(lines, guard):
        here = [(release, tuple(_keys(lines, release))) for release in found if release.line in way]
        may.update(key for _, keys in here for key in keys)
        sure.append({key for release, keys in here if _surely(lines, guard.line, release.line) for key in keys})
    return bool(may) and all(may <= each for each in sure)


def _ways(lines: Sequence[str], guard: Guard) -> Iterator[frozenset[int]]:
    """The numbers of the lines that each of the two ways of an `if` runs, those that follow in its block included."""
    indent = _indent(lines[guard.line - 1])
    last = min(guard.body_end, len(lines))
    inside = range(guard.line + 1, last + 1)
    other = next((n for n in inside if _indent(lines[n - 1]) == indent and lines[n - 1].lstrip()[:2] == "el"), 0)
    end = last
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) >= indent):
        end += 1
    following = range(last + 1, end + 1)
    body = range(guard.line + 1, other or last + 1)
    otherwise = range(other + 1, last + 1) if other else range(0)
    for arm in (body, otherwise):
        yield frozenset(arm) if _leaves(lines, arm, indent) else frozenset((*arm, *following))


def _leaves(lines: Sequence[str], arm: range, indent: int) -> bool:
    """Whether an arm of a branch ends without what follows it."""
    own = [lines[n - 1] for n in arm if lines[n - 1].strip() and not lines[n - 1].lstrip().startswith("#")]
    inner = min((each for line in own if (each := _indent(line)) > indent), default=0)
    return any(_indent(line) == inner and line.lstrip().startswith(_LEAVES) for line in own)


def _surely(lines: Sequence[str], branch: int, line: int) -> bool:
    """Whether nothing but the branch itself decides if a line in one of its arms, or after it, is run."""
    outer = _indent(lines[branch - 1])
    indent = _indent(lines[line - 1])
    for number in range(line - 1, branch - 1, -1):
        text = lines[number - 1]
        if indent <= outer:
            return True
        if not text.strip() or _indent(text) >= indent or text.lstrip().startswith(("#", ")", "]")):
            continue
        indent = _indent(text)
        arm = indent == outer and (number == branch or text.lstrip().startswith("else"))
        if not arm and not text.lstrip().startswith(_TRANSPARENT):
            return False
    return True


def _keys(lines: Sequence[str], release: Release) -> Iterator[str]:
    """What a call releases, as far as two of them are the same."""
    last = min(release.end_line, release.line + _MAX_LINES)
    text = "".join("".join(lines[release.line - 1 : last]).split())
    if "register" in release.does:
        yield f"register {sorted({match.group().lower() for match in _STAGES.finditer(text)})}"
    name, assigned, given = text.partition("=")
    yield from (f"{each} {given if assigned and '(' not in name else text}" for each in release.does - {"register"})


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
