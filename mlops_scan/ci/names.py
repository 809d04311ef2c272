"""How the definitions of each CI provider are called; apart from the readers, so that only those needed are imported.

Patterns see the path in the repository, in a template the path below the folder with a placeholder for a name.
"""

from __future__ import annotations

GITHUB = r"\.(github|gitea|forgejo)/workflows/[^/]+\.ya?ml"
AZURE = (
    r"(^|/)azure-pipelines[^/]*\.ya?ml$|(^|/)\.(pipelines|ado)/.+\.ya?ml$"
    r"|(^|/)\.?(azure[-_]?pipelines|azure[-_]?devops|azdo|devops[-_]pipelines)/.+\.ya?ml$"
)
JENKINS = r"(^|/)(?i:Jenkinsfile)[^/]*$|\.(?i:jenkinsfile)(\.groovy)?$"
CIRCLECI = r"(^|/)\.circleci/.+\.ya?ml$"
BUILDKITE = r"^\.?buildkite(/.+)?\.(ya?ml|json)$"
DRONE = r"^\.drone\.ya?ml$"
WOODPECKER = r"^\.woodpecker\.ya?ml$|^\.woodpecker/.+\.ya?ml$"
CLOUD_BUILD = r"(?i:(^|/)[\w.-]*cloud[-_]?build[^/]*\.(ya?ml|json)$|(^|/)\.?cloud[-_]?build/.+\.(ya?ml|json)$)"
CODE_BUILD = r"(?i:(^|/)([\w.-]*[-_.])?buildspec[^/]*\.ya?ml$)"
