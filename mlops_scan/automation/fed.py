"""Commands whose work is what a pipe hands them: `kubectl apply -f -` of objects that run nothing.

Fact: of what `kubectl create` makes by a word, only deployments, jobs and cron jobs hold containers;
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_create/
"""

from __future__ import annotations

from mlops_scan.documents.shell_model import Command

_PROGRAM = "kubectl"
_RUNS = frozenset({"deployment", "deployments", "deploy", "job", "jobs", "cronjob", "cronjobs", "cj"})
_STDIN = frozenset({"-", "-f-", "--filename=-"})
_FROM_FILES = ("-f", "--filename", "-k", "--kustomize")
_VALUED = frozenset({"-n", "--namespace", "--context", "--cluster", "--kubeconfig", "-o", "--output", "-l"})
"""Options with a value of their own, which is no word that says what is made."""


def runs_nothing(command: Command) -> bool:
    """Whether a command applies what `kubectl create namespace x --dry-run=client -o yaml` and its like print."""
    if not command.fed or _PROGRAM not in command.words or _STDIN.isdisjoint(command.words):
        return False
    made = _made(command.fed)
    return bool(made) and made not in _RUNS


def _made(words: tuple[str, ...]) -> str:
    """The kind of object that a `kubectl create` makes by a word, or empty: where files or a variable say it."""
    if _PROGRAM not in words or any(word.startswith(_FROM_FILES) for word in words):
        return ""
    plain: list[str] = []
    before = ""
    for word in words[words.index(_PROGRAM) + 1 :]:
        if not word.startswith("-") and before not in _VALUED:
            plain.append(word)
        before = word
    kind = plain[1] if len(plain) > 1 and plain[0] == "create" else ""
    return kind if kind.isalpha() else ""
