"""Build hook that compiles the rules into the package: reading their YAML anew is a good part of a small scan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledRules(BuildHookInterface[Any]):
    """Writes `mlops_scan/rules.msgpack`, for wheels and for editable installations."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the rules of this source tree; rules that do not load end the build."""
        sys.path.insert(0, self.root)
        try:
            from mlops_scan.rulebook import compiled

            (Path(self.root) / "mlops_scan" / "rules.msgpack").write_bytes(compiled())
        finally:
            sys.path.remove(self.root)
