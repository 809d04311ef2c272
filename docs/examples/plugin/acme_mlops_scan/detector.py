"""Acme keeps the approval of each model release in `approvals/*.yaml`; somebody has to be named in it.

Most tools need no code: a file of rules describes them (docs/own-rules.md). A detector is for what rules cannot say,
here that a field must not be empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.detectors.base import Context
from mlops_scan.words import Grade, Signal


def detect(context: Context) -> Iterator[Signal]:
    """One signal for each approval; one without a name is only a trace."""
    for file in context.files():
        if not file.path.startswith("approvals/") or file.suffix not in (".yaml", ".yml"):
            continue
        for document in context.documents.nodes(file.path):
            person = document.get("approved_by")
            if person is None:
                continue
            evidence = (context.evidence(file.path, person.at),)
            if person.string():
                yield Signal("governance/approval", "acme-approvals", Grade.IMPLEMENTED, evidence, fixed=True)
            else:
                reason = "nobody is named"
                yield Signal("governance/approval", "acme-approvals", Grade.TRACE, evidence, reason=reason, fixed=True)
