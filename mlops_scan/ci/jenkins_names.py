"""Names that a Jenkinsfile can use without defining them: what gives a pipeline its shape, and the steps of plug-ins.

Facts: https://www.jenkins.io/doc/pipeline/steps/
"""

from __future__ import annotations

SHELLS = frozenset({"sh", "bat", "powershell", "pwsh"})

SECTIONS = frozenset(
    {"agent", "tools", "options", "parameters", "triggers", "when", "libraries", "environment", "axes", "excludes",
     "properties", "pipelineTriggers", "parallelsAlwaysFailFast", "failFast"}
)  # fmt: skip
"""Parts of a pipeline that hold settings and no steps."""

CLOCKS = {
    "cron": "schedule", "parameterizedCron": "schedule", "pollSCM": "push", "scm": "push", "githubPush": "push",
    "gitlab": "push", "gitlabPush": "push", "bitbucketPush": "push", "giteaPush": "push", "bitBucketTrigger": "push",
    "githubPullRequests": "pull_request", "githubPullRequest": "pull_request", "ghprbTrigger": "pull_request",
    "gerrit": "push", "upstream": "chained", "snapshotDependencies": "chained", "GenericTrigger": "external",
    "genericTrigger": "external", "issueCommentTrigger": "manual", "dockerHubTrigger": "external",
}  # fmt: skip
"""What a trigger starts a job on; polling the repository for changes counts as a push."""

QUIET = frozenset(
    {"pipeline", "node", "stages", "steps", "script", "stage", "parallel", "matrix", "post", "always", "success",
     "failure", "unstable", "aborted", "changed", "fixed", "regression", "unsuccessful", "cleanup", "notBuilt",
     "dir", "ws", "echo", "print", "println", "printf", "checkout", "git", "svn", "junit", "xunit",
     "archiveArtifacts", "archive", "publishHTML", "publishCoverage", "recordIssues", "recordCoverage", "cobertura",
     "jacoco", "cleanWs", "deleteDir", "stash", "unstash", "timeout", "timestamps", "ansiColor", "retry", "sleep",
     "waitUntil", "lock", "milestone", "withEnv", "withCredentials", "withAWS", "withSonarQubeEnv",
     "waitForQualityGate", "sshagent", "container", "withPythonEnv", "withDockerContainer", "withDockerRegistry",
     "withKubeConfig", "withMaven", "withVault", "withAnt", "configFileProvider", "wrap", "nodejs", "tool",
     "fileExists", "readFile", "writeFile", "readJSON", "writeJSON", "readYaml", "writeYaml", "readProperties",
     "readMavenPom", "readCSV", "findFiles", "zip", "unzip", "tar", "untar", "touch", "isUnix", "pwd", "mail",
     "emailext", "emailextrecipients", "slackSend", "hipchatSend", "office365ConnectorSend", "discordSend",
     "telegramSend", "googlechatnotification", "rocketSend", "error", "unstableBuild", "catchError", "warnError",
     "input", "load", "library", "libraryResource", "build", "step", "properties", "parameters", "setBuildStatus",
     "githubNotify", "updateGitlabCommitStatus", "gitlabCommitStatus", "gitlabBuilds", "publishChecks", "withChecks",
     "addBadge", "addShortText", "fingerprint", "currentBuild", "credentials", "usernamePassword", "string", "file",
     "sshUserPrivateKey", "text", "booleanParam", "choice", "password", "buildDiscarder", "logRotator",
     "disableConcurrentBuilds", "skipDefaultCheckout", "scmSkip", "copyArtifacts", "httpRequest", "dependencyCheck",
     "dependencyCheckPublisher", "tee", "throttle", "podTemplate", "containerTemplate", "evaluate",
     "newBuildArtifact", "exit", "resourcePost", "validateDeclarativePipeline", "withGroovy", "envVarsForTool",
     "getContext", "powershell", "allure", "cucumber", "robot", "perfReport", "plot", "nexusArtifactUploader",
     "rtUpload", "rtServer", "ansiblePlaybook", "kubernetesDeploy", "kubeconfig", "s3Upload", "s3Download",
     "ecrLogin", "cfnUpdate", "awsCodeBuild", "sshPublisher", "sshCommand", "sshScript", "sshPut", "docker",
     "dockerfile", "withRegistry", "hash", "jiraComment", "jiraSendBuildInfo", "runOnce", "snykSecurity",
     "scanForIssues", "publishIssues", "codecov", "cmake", "cmakeBuild", "ctest", "conda"}
)  # fmt: skip
"""Steps and wrappers that are known; a name that is neither here nor defined comes from a shared library."""

DELIVERING = frozenset(
    {"build", "ansiblePlaybook", "kubernetesDeploy", "s3Upload", "cfnUpdate", "awsCodeBuild", "sshPublisher",
     "sshCommand", "sshScript", "sshPut", "rtUpload", "nexusArtifactUploader", "waitForQualityGate"}
)  # fmt: skip
"""Those of them that can deliver or stop something, and so are kept as steps of their own."""

POST_FAILURES = frozenset({"failure", "unstable", "aborted", "unsuccessful", "regression"})
"""Conditions of `post` that hold only after something has failed."""
