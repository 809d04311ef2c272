"""Steps of the Docker Pipeline plug-in as the commands that it runs.

Facts: https://www.jenkins.io/doc/book/pipeline/docker/
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops_scan.ci.jenkins_values import Text, text_of
from mlops_scan.documents.groovy_calls import Call


class Images:
    """The images that variables of a Jenkinsfile stand for."""

    def __init__(self) -> None:
        self._images: dict[str, str] = {}

    def command(self, call: Call, variable: str, values: Mapping[str, str]) -> Text | None:
        """The command of `docker.build`, or of a `push` of an image; None of other steps.

        `variable` is what the result of the call is given to.
        """
        argument = text_of(call.arguments[0], values) if call.arguments else None
        value = argument.value if argument is not None else ""
        if call.name == "docker.build":
            more = text_of(call.arguments[1], values) if len(call.arguments) > 1 else None
            self._images[variable or value] = value
            rest = more.value if more is not None else "."
            return Text(f"docker build -t {value} {rest}", call.line)
        if call.name == "docker.image":
            self._images[variable or value] = value
        elif call.last == "push":
            return self._push(call, values)
        return None

    def _push(self, call: Call, values: Mapping[str, str]) -> Text | None:
        owner = call.name.rpartition(".")[0]
        image = self._images.get(owner, "")
        if call.receiver is not None and call.receiver.arguments and call.receiver.name.startswith("docker."):
            first = text_of(call.receiver.arguments[0], values)
            image = first.value if first is not None else ""
        return Text(f"docker push {image}", call.line) if image or owner in self._images else None
