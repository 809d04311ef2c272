"""The TypeScript files that a CDK app consists of: the program that `cdk.json` runs, and what that imports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from mlops_scan.automation.paths import join
from mlops_scan.documents.programs import own_programs
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex

CDK = frozenset({"cdk", "aws-cdk"})
ASSEMBLY = "cdk.out"
"""The folder into which an app is synthesized; what is deployed from it is the app."""

_IMPORT = regex(r"^(?:import\b|export\b|\})[^\n'\"]{0,500}['\"](\.{1,2}/[^'\"\n]{1,200})['\"]", re.M)
_MAX_FILES = 200


def app_named(words: Sequence[str]) -> str:
    """The app that a command line of `cdk` names with `--app`; empty where that of `cdk.json` is meant."""
    given = next((word for flag, word in pairwise(words) if flag in ("--app", "-a")), "")
    return "" if given.rstrip("/").endswith(ASSEMBLY) else given


def app_files(app: str, folder: str, documents: Documents) -> Iterator[str]:
    """The TypeScript files of an app that is started in a folder with a command such as `npx ts-node bin/app.ts`."""
    own = documents.once(own_programs)
    named = (join(folder, word.removesuffix(".js").removesuffix(".ts")) for word in app.split())
    queue = [path for name in named for path in _files(name) if path in own]
    seen = set(queue)
    while queue and len(seen) <= _MAX_FILES:
        path = queue.pop(0)
        yield path
        for name in _IMPORT.findall(documents.text(path)):
            for found in _files(join(path.rpartition("/")[0], name)):
                if found in own and found not in seen:
                    seen.add(found)
                    queue.append(found)


def _files(name: str) -> tuple[str, str]:
    return f"{name}.ts", f"{name}/index.ts"
