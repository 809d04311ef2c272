"""Scripts and commands that code hands to the tasks of a pipeline: `PythonScriptStep(script_name=…)`, `command=…`.

A name that is no constant may come from an environment variable, directly or through an attribute of a settings class;
its value is known where the CI definitions that are loaded give it exactly one.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from mlops_scan.ci.model import Workflow
from mlops_scan.code.facts import MAIN, Call
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.store import Documents

_SCRIPTS = (
    "script_name",
    "entry_script",
    "entry_point",
    "python_file",
    "script_path",
    "application",
    "code",
    "python_script_name",
    "python_script_path",
)
_COMMANDS = ("bash_command", "command", "cmds")
_ARGUMENTS = ("args", "arguments")  # of a container they follow its command
_FOLDERS = ("source_directory", "source_dir")
_READERS = frozenset({"os.environ.get", "os.getenv", "environ.get", "getenv"})
_MAX_HOPS = 6
_UNKNOWN = "${_}"


class Command(Struct, frozen=True):
    """A command line that a call hands over, and the folder from which it runs."""

    text: str
    line: int
    folder: str = ""


def environment(workflows: Iterable[Workflow]) -> Mapping[str, str]:
    """The environment variables to which the loaded CI definitions give one value, and no second one."""
    seen: dict[str, set[str]] = defaultdict(set)
    for workflow in workflows:
        for job in workflow.jobs if not workflow.unloaded else ():
            for step in job.steps:
                for name, value in step.env.items():
                    seen[name].add(value)
    return {name: next(iter(values)) for name, values in seen.items() if len(values) == 1 and "$" not in min(values)}


class Handed:
    """Finds what the calls of one scope hand over."""

    def __init__(self, documents: Documents, index: CodeIndex, values: Mapping[str, str]) -> None:
        self.documents = documents
        self.index = index
        self.values = values
        self._commands: dict[tuple[str, str], tuple[Command, ...]] = {}

    def commands(self, path: str, scope: str) -> tuple[Command, ...]:
        """The commands of the calls made directly in a scope of a module, constants first resolved."""
        if (path, scope) not in self._commands:  # many pipelines may be defined in one scope
            self._commands[(path, scope)] = tuple(self._found(path, scope))
        return self._commands[(path, scope)]

    def _found(self, path: str, scope: str) -> Iterator[Command]:
        for call in self.index.calls_in(path, scope):
            for name, value in call.keywords:
                if name not in _SCRIPTS and name not in _COMMANDS:
                    continue
                text = value or self._variable(path, scope, call, name)
                if text and name in _COMMANDS:
                    text = " ".join((text, *filter(None, map(call.keyword, _ARGUMENTS))))
                if text and name in _SCRIPTS:
                    text = f"python {text}" if text.endswith(".py") else text
                if text:
                    yield Command(text, call.line, self._folder(path, scope, call))

    def _folder(self, path: str, scope: str, call: Call) -> str:
        for name, value in call.keywords:
            if name in _FOLDERS:
                return value or self._variable(path, scope, call, name)
        return ""

    def _variable(self, path: str, scope: str, call: Call, keyword: str) -> str:
        """The value of a keyword that is read from the environment, or put together of what is known; or empty."""
        document = self.documents.python(path) if path.endswith(".py") else None
        if document is None:
            return ""
        for node in ast.walk(document.tree):
            if isinstance(node, ast.Call) and node.lineno == call.line:
                given = next((item.value for item in node.keywords if item.arg == keyword), None)
                if given is not None:
                    return self._value(given, path, scope, 0)
        return ""

    def _value(self, node: ast.expr, path: str, scope: str, hops: int) -> str:
        if hops > _MAX_HOPS:
            return ""
        if isinstance(node, (ast.Call, ast.Subscript)):
            return self._read(node)
        if isinstance(node, ast.Name):
            held = self._bound(path, scope).get(node.id)
            return self._value(held, path, scope, hops + 1) if held is not None else ""
        if isinstance(node, ast.Attribute):
            return self._attribute(node, path, scope, hops)
        if isinstance(node, ast.JoinedStr):
            return self._filled(node, path, scope, hops)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""

    def _filled(self, node: ast.JoinedStr, path: str, scope: str, hops: int) -> str:
        """An f-string; what is not known in it becomes a variable of the shell, as which it is not known either."""
        parts = []
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            text = self._value(inner, path, scope, hops + 1)
            parts.append(text or (_UNKNOWN if isinstance(part, ast.FormattedValue) else ""))
        return "".join(parts) if any(text != _UNKNOWN for text in parts) else ""

    def _read(self, node: ast.Call | ast.Subscript) -> str:
        """`os.environ["X"]`, `os.getenv("X", "default")`: the value that CI gives it, else the default."""
        if isinstance(node, ast.Subscript):
            known = ast.unparse(node.value) in ("os.environ", "environ") and isinstance(node.slice, ast.Constant)
            return self.values.get(str(node.slice.value), "") if known and isinstance(node.slice, ast.Constant) else ""
        if ast.unparse(node.func) not in _READERS or not node.args or not isinstance(node.args[0], ast.Constant):
            return ""
        default = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else ""
        return self.values.get(str(node.args[0].value), "") or (default if isinstance(default, str) else "")

    def _attribute(self, node: ast.Attribute, path: str, scope: str, hops: int) -> str:
        """`settings.name` where `settings` is an object of a first-party class, the class itself, or a module."""
        owner = node.value
        held = self._bound(path, scope).get(owner.id) if isinstance(owner, ast.Name) else None
        made = held.func if isinstance(held, ast.Call) else held if held is not None else owner
        if isinstance(made, ast.Call):
            made = made.func
        imported = self._imported(path, ast.unparse(made))
        located = self.index.find_module(imported, path) if imported else None
        where, name = located if located is not None else (path, ast.unparse(made))
        document = self.documents.python(where)
        for statement in document.tree.body if document is not None else ():
            if isinstance(statement, ast.ClassDef) and statement.name == name:
                value = _assigned(statement.body).get(node.attr)
                return self._value(value, where, "", hops + 1) if value is not None else ""
        if document is not None and located is not None and not name:
            value = _assigned(document.tree.body).get(node.attr)
            return self._value(value, where, "", hops + 1) if value is not None else ""
        return ""

    def _imported(self, path: str, name: str) -> str:
        """The dotted name that a local name was imported as, or empty."""
        document = self.documents.python(path)
        first, _, rest = name.partition(".")
        for node in ast.walk(document.tree) if document is not None else ():
            if isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    if (alias.asname or alias.name) == first:
                        return ".".join(part for part in (node.module or "", alias.name, rest) if part)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname == first or (alias.asname is None and name.startswith(alias.name)):
                        return alias.name + name[len(alias.asname or alias.name) :]
        return ""

    def _bound(self, path: str, scope: str) -> dict[str, ast.expr]:
        """What the names of a module, and of one of its functions, were assigned."""
        document = self.documents.python(path)
        if document is None:
            return {}
        found = _assigned(document.tree.body)
        for node in ast.walk(document.tree):
            named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == scope.rpartition(".")[2]
            main = scope == MAIN and isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
            if (named or main) and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.If)):
                found.update(_assigned(node.body))
        return found


def _assigned(body: Iterable[ast.stmt]) -> dict[str, ast.expr]:
    """The names that statements assign once, with their values; a name assigned twice is not known."""
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
        value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                twice |= {target.id} if target.id in found else set()
                found[target.id] = value
    return {name: value for name, value in found.items() if name not in twice}
