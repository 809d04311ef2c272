"""Walks the tree of a shell text and collects its commands with what encloses them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.documents.bounds import MAX_DEPTH
from mlops_scan.documents.node import DocumentError
from mlops_scan.documents.shell_model import Command, ShellScript
from mlops_scan.documents.shell_options import changed, with_call_options
from mlops_scan.documents.shell_status import passed_on
from mlops_scan.documents.shell_words import assignment_of, line_of, text_of, word_of
from mlops_scan.documents.trees import parse_tree
from mlops_scan.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node

_MAX_COMMANDS = 2_000  # of one script
_EXPRESSION = regex(rb"\$?\{\{[^\n{}]*\}\}|\$\[\[[^\n\[\]]*\]\]")
_CONTROL = regex(rb"^[ \t]*\{%[^\n]*?%\}[ \t]*$", re.MULTILINE)
_PIPELINE_VARIABLE = regex(rb"\$\([A-Za-z_]\w*(?:\.\w+)+\)")  # Azure: $(Build.SourcesDirectory)
_FAILS = regex(r"(?:^|[;{(&\n][ \t]*)(?:exit(?!\s+0\b)|return(?!\s+0\b)|false)\b")
_SETUP = frozenset(
    {"set", "shopt", "export", "echo", "printf", "cd", "source", ".", "trap", "umask", "readonly", "local", "declare"}
    | {"unset", "ulimit", ":", "true", "typeset"}
)
_NEAR = 4  # words in which a launcher may stand before `ssh`
_TESTS = {"[": "]", "[[": "]]", "((": "))"}


class _Context(Struct, frozen=True):
    """What encloses a node."""

    swallowed: str = ""
    conditional: str = ""
    function: str = ""
    last: bool = False
    top: bool = True
    redirected: bool = False
    heredoc: bool = False
    depth: int = 0
    subshell: tuple[int, ...] = ()
    stops: bool = False
    fed: tuple[str, ...] = ()


class Reader:
    """Walks the tree in order and keeps the shell options that are in force."""

    def __init__(self, source: bytes, first_line: int, errexit: bool, pipefail: bool) -> None:
        self._source = source
        self._asks = b"$?" in source
        self._first = first_line
        self._errexit = errexit
        self._pipefail = pipefail
        self._top_errexit: bool | None = None
        self._commands: list[Command] = []
        self._functions: list[str] = []
        self._variables: list[tuple[str, str]] = []
        self._subshells = 0
        self._breach: tuple[str, int] | None = None  # the bound that broke, and the line

    def script(self) -> ShellScript:
        """Everything below the root; raises DocumentError, with what was read as `.partial`, where a bound broke."""
        masked = self._source
        if b"{{" in masked or b"$[[" in masked:
            masked = _EXPRESSION.sub(lambda match: b"_" * len(match.group()), masked)
        if b"{%" in masked:
            masked = _CONTROL.sub(lambda match: b" " * len(match.group()), masked)
        self._body(parse_tree(masked, "bash").root_node.children, _Context(last=True))
        top = self._errexit if self._top_errexit is None else self._top_errexit
        functions = tuple(dict.fromkeys(self._functions))
        commands = with_call_options(self._commands, functions)
        found = ShellScript(commands, top, self._pipefail, functions, tuple(self._variables))
        if self._breach is not None:
            raise DocumentError(*self._breach, found)
        return found

    def options(self, arguments: tuple[str, ...]) -> None:
        """Apply the arguments of `set` or of a shebang."""
        self._errexit, self._pipefail = changed(arguments, self._errexit, self._pipefail)

    def _body(self, nodes: list[Node], context: _Context) -> None:
        """Statements in order; only the last one's status counts for what encloses them."""
        statements = [node for node in nodes if node.is_named and node.type != "comment"]
        final = statements[-1].id if statements else 0
        behind = dict(zip((node.id for node in statements), statements[1:], strict=False)) if self._asks else {}
        for index, node in enumerate(nodes):
            if not node.is_named or node.type == "comment":
                continue
            following = nodes[index + 1].type if index + 1 < len(nodes) else ""
            last = context.last and node.id == final
            inside = context if last == context.last else replace(context, last=last)
            if following == "&":
                inside = replace(inside, swallowed=context.swallowed or "background &", last=False)
            elif node.id in behind and not context.function and passed_on(self._source, node, behind[node.id]):
                inside = replace(inside, stops=True)
            self._visit(node, inside)

    def _visit(self, node: Node, context: _Context) -> None:
        if context.depth > MAX_DEPTH:
            self._break(f"nested deeper than {MAX_DEPTH} levels", node)
        if len(self._commands) >= _MAX_COMMANDS:
            self._break(f"more than {_MAX_COMMANDS} commands", node)
        if self._breach is not None:
            return
        context = replace(context, depth=context.depth + 1)
        kind = node.type
        if kind == "compound_statement" and node.children and node.children[0].type == "((":
            kind = "test_command"
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, node, context)
        elif kind not in ("heredoc_body", "comment"):  # braces, do-groups, ERROR nodes, words with substitutions
            self._body(node.children, context)

    def _break(self, reason: str, node: Node) -> None:
        if self._breach is None:
            self._breach = reason, node.start_point.row + self._first

    def _negated(self, node: Node, context: _Context) -> None:
        self._body(node.children, replace(context, swallowed=context.swallowed or "negated"))

    def _else(self, node: Node, context: _Context) -> None:
        self._body(node.children[1:], context)

    def _command(self, node: Node, context: _Context) -> None:
        source = self._source
        words: list[str] = []
        assignments: list[tuple[str, str]] = []
        redirected, heredoc = context.redirected, context.heredoc
        for child in node.children:
            if child.type == "variable_assignment":
                assignments.append(assignment_of(source, child))
            elif child.type.endswith("_redirect"):
                redirected = redirected or child.type == "file_redirect"
                heredoc = heredoc or child.type != "file_redirect"
            elif child.type == "command_name":
                words.append("".join(word_of(source, part) for part in child.children) or text_of(source, child))
            elif child.is_named and child.type not in ("comment", "ERROR"):
                words.append(word_of(source, child))
            elif child.type == "ERROR":
                words.extend(text_of(source, child).split())
        if words:
            self._add(node, tuple(words), context, tuple(assignments), redirected, heredoc)
            if words[0] == "set" and not context.swallowed.startswith("in a"):
                self.options(tuple(words[1:]))
        else:
            self._variables.extend(assignments)
        self._substitutions(node, context, "in a substitution" if words else "")

    def _add(
        self,
        node: Node,
        words: tuple[str, ...],
        context: _Context,
        assignments: tuple[tuple[str, str], ...] = (),
        redirected: bool = False,
        heredoc: bool = False,
    ) -> None:
        if self._top_errexit is None and context.top and words[0] not in _SETUP:
            self._top_errexit = self._errexit
        self._commands.append(
            Command(
                words,
                node.start_point.row + self._first,
                node.end_point.row + self._first,
                line_of(self._source, node),
                assignments,
                context.swallowed,
                self._errexit,
                context.last and not context.function,
                redirected or context.redirected,
                context.function,
                context.conditional,
                heredoc or context.heredoc,
                self._pipefail,
                context.subshell,
                context.stops,
                context.fed,
            )
        )

    def _substitutions(self, node: Node, context: _Context, swallowed: str) -> None:
        """Commands inside `$(..)` and `<(..)` of a command's words, in order."""
        whole = self._source[node.start_byte : node.end_byte]
        if b"(" not in whole and b"`" not in whole and not node.has_error:
            return  # as in most commands; to ask all that it consists of takes much longer
        context = replace(
            context, last=False, redirected=False, heredoc=False, swallowed=context.swallowed or swallowed
        )
        stack = list(reversed(node.children))
        while stack:
            child = stack.pop()
            if child.type in ("command_substitution", "process_substitution"):
                self._visit(child, context)
            elif child.type not in ("heredoc_body", "comment"):
                stack.extend(reversed(child.children))

    def _declaration(self, node: Node, context: _Context) -> None:
        words = [word_of(self._source, child) for child in node.children if child.type != "comment"]
        assigned = (child for child in node.children if child.type == "variable_assignment")
        self._variables.extend(assignment_of(self._source, child) for child in assigned)
        self._add(node, tuple(words), context)
        self._substitutions(node, context, "in a substitution")

    def _assignment(self, node: Node, context: _Context) -> None:
        parts = [node] if node.type == "variable_assignment" else node.named_children
        assigned = (part for part in parts if part.type == "variable_assignment")
        self._variables.extend(assignment_of(self._source, part) for part in assigned)
        self._substitutions(node, context, "")

    def _test(self, node: Node, context: _Context) -> None:
        opening = node.children[0].type if node.children else "["
        text = text_of(self._source, node)
        content = text[len(opening) :].strip()
        closing = _TESTS.get(opening, "]")
        content = content[: -len(closing)] if content.endswith(closing) else content
        words = tuple(word.strip("\"'") for word in content.split())
        self._add(node, (opening, *words, closing), context)
        self._substitutions(node, context, "in a substitution")

    def _pipeline(self, node: Node, context: _Context) -> None:
        parts = [child for child in node.children if child.is_named and child.type != "comment"]
        first = len(self._commands)
        for index, part in enumerate(parts):
            if index and len(self._commands) > first:
                context = replace(context, fed=self._commands[first].words)
            if index == len(parts) - 1 and not (node.children and node.children[-1].type in ("|", "|&")):
                self._visit(part, context)
                continue
            reason = context.swallowed or ("" if self._pipefail else "piped without pipefail")
            self._visit(part, replace(context, swallowed=reason, last=context.last and self._pipefail))

    def _list(self, node: Node, context: _Context) -> None:
        parts = [child for child in node.children if child.is_named and child.type != "comment"]
        operators = [child.type for child in node.children if child.type in ("&&", "||")]
        if len(parts) != 2 or len(operators) != 1:
            self._body(node.children, context)
            return
        left, right = parts
        text = line_of(self._source, left)
        if operators[0] == "&&":
            reason = context.swallowed or ("" if context.last else "left of && in the middle of the script")
            self._visit(left, replace(context, swallowed=reason))
            self._visit(right, replace(context, conditional=text))
            return
        if self._can_fail(right):
            self._visit(left, replace(context, last=False, stops=True))
        else:
            self._visit(left, replace(context, swallowed=context.swallowed or self._fallback(right), last=False))
        self._visit(right, replace(context, conditional=f"! {text}"))

    def _can_fail(self, node: Node) -> bool:
        """Whether what follows `||` passes the failure on: `exit 1`, `return 1`, `false`, a group ending in one."""
        return _FAILS.search(text_of(self._source, node).strip()) is not None

    def _fallback(self, node: Node) -> str:
        words = line_of(self._source, node).split()
        return "|| " + " ".join(words[:1]) + (" …" if len(words) > 1 else "")

    def _redirected(self, node: Node, context: _Context) -> None:
        """A statement with redirects; a redirect behind `a && b` belongs to `b` alone."""
        body = node.child_by_field_name("body")
        heredocs = [child for child in node.children if child.type == "heredoc_redirect"]
        files = any(child.type == "file_redirect" for child in node.children)
        files = files or any(part.type == "file_redirect" for doc in heredocs for part in doc.children)
        continued = [
            part
            for doc in heredocs
            for part in doc.named_children
            if part.type not in ("heredoc_start", "heredoc_body", "heredoc_end", "comment", "file_redirect")
            and not part.type.endswith("descriptor")
        ]
        inside = replace(context, redirected=files, heredoc=bool(heredocs))
        operators = {part.type for doc in heredocs for part in doc.children if part.type in ("|", "||", "&&")}
        operators |= {part.children[0].type for part in continued if part.type == "pipeline" and part.children}
        if "|" in operators and not self._pipefail:
            inside = replace(inside, swallowed=context.swallowed or "piped without pipefail", last=False)
        elif "||" in operators and continued and not self._can_fail(continued[0]):
            inside = replace(inside, swallowed=context.swallowed or self._fallback(continued[0]), last=False)
        before = len(self._commands)
        if body is not None:
            if body.type == "list" and body.named_children:
                self._list_with_redirect(body, inside, context)
            else:
                self._visit(body, inside)
        if heredocs and len(self._commands) > before and "ssh" in self._commands[-1].words[:_NEAR]:
            self._commands[-1] = replace(self._commands[-1], given=self._document(heredocs[0]))
        for part in continued:
            self._visit(part, context)
        for child in node.children:
            if child.type in ("file_redirect", "herestring_redirect"):
                self._substitutions(child, context, "in a substitution")

    def _document(self, heredoc: Node) -> tuple[str, int]:
        """The text of a here-document and the line that it begins at."""
        body = next((child for child in heredoc.children if child.type == "heredoc_body"), None)
        return (text_of(self._source, body), body.start_point.row + self._first) if body is not None else ("", 0)

    def _list_with_redirect(self, body: Node, inside: _Context, context: _Context) -> None:
        before = len(self._commands)
        self._visit(body, replace(inside, redirected=context.redirected, heredoc=context.heredoc))
        if len(self._commands) > before:
            last = self._commands[-1]
            self._commands[-1] = replace(last, redirected=inside.redirected, heredoc=inside.heredoc)

    def _if(self, node: Node, context: _Context) -> None:
        """if/elif: what stands before `then` is the condition."""
        then = next((i for i, child in enumerate(node.children) if child.type == "then"), len(node.children))
        conditions = [child for child in node.children[1:then] if child.is_named]
        text = "; ".join(line_of(self._source, child) for child in conditions)
        self._body(conditions, replace(context, swallowed="in a condition", last=False))
        branches = ("elif_clause", "else_clause")
        rest = node.children[then + 1 :]
        self._body([child for child in rest if child.type not in branches], replace(context, conditional=text))
        for child in rest:
            if child.type in branches:
                self._visit(child, replace(context, conditional=f"! {text}"))

    def _loop(self, node: Node, context: _Context) -> None:
        body = node.child_by_field_name("body")
        for child in node.children:
            if body is not None and child.id == body.id:
                self._visit(child, replace(context, last=False))
            elif node.type == "while_statement":
                if child.is_named:
                    self._visit(child, replace(context, swallowed="in a condition", last=False))
            elif child.is_named:
                self._substitutions(child, context, "in a substitution")
                if child.type in ("command_substitution", "process_substitution"):
                    self._visit(child, replace(context, swallowed=context.swallowed or "in a substitution", last=False))

    def _case(self, node: Node, context: _Context) -> None:
        value = node.child_by_field_name("value")
        subject = line_of(self._source, value) if value is not None else ""
        for item in node.children:
            if item.type == "case_item":
                patterns = {child.id for child in item.children_by_field_name("value")}
                label = "|".join(line_of(self._source, child) for child in item.children_by_field_name("value"))
                inside = replace(context, conditional=f"case {subject} in {label}")
                self._body([child for child in item.children if child.id not in patterns], inside)

    def _function(self, node: Node, context: _Context) -> None:
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        if name is None or body is None:
            return
        self._functions.append(text_of(self._source, name))
        saved = self._errexit, self._pipefail
        self._visit(body, _Context(function=text_of(self._source, name), top=False, depth=context.depth))
        self._errexit, self._pipefail = saved

    def _subshell(self, node: Node, context: _Context) -> None:
        if node.type == "command_substitution" and _PIPELINE_VARIABLE.fullmatch(
            self._source[node.start_byte : node.end_byte]
        ):
            return
        saved = self._errexit, self._pipefail
        self._subshells += 1
        self._body(node.children, replace(context, top=False, subshell=(*context.subshell, self._subshells)))
        self._errexit, self._pipefail = saved


_HANDLERS: dict[str, Callable[[Reader, Node, _Context], None]] = {
    "command": Reader._command,
    "declaration_command": Reader._declaration,
    "unset_command": Reader._declaration,
    "variable_assignment": Reader._assignment,
    "variable_assignments": Reader._assignment,
    "test_command": Reader._test,
    "pipeline": Reader._pipeline,
    "list": Reader._list,
    "redirected_statement": Reader._redirected,
    "negated_command": Reader._negated,
    "if_statement": Reader._if,
    "elif_clause": Reader._if,
    "else_clause": Reader._else,
    "while_statement": Reader._loop,
    "for_statement": Reader._loop,
    "c_style_for_statement": Reader._loop,
    "case_statement": Reader._case,
    "function_definition": Reader._function,
    "subshell": Reader._subshell,
    "command_substitution": Reader._subshell,
    "process_substitution": Reader._subshell,
}
