"""Where a scanned file stands for a platform: its path from the root of its repository, and its page there."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mlops_scan.words import Location


class Forge(Struct, frozen=True):
    """A place on the web that shows the files of one commit.

    `page` and `lines` are the parts of a file's address: `{path}` is percent-encoded, `{first}` and `{last}` are lines.
    """

    repository: str
    page: str
    lines: str

    def link(self, path: str, first: int, last: int) -> str:
        """The address of these lines; `path` is percent-encoded already."""
        return self.page.format(path=path) + self.lines.format(first=first, last=last)


class Places(Struct, frozen=True):
    """How paths of a report become addresses.

    `prefix` is the scanned folder as seen from the root of its repository, empty when it is that root. `root` is the
    scanned folder's absolute path on this machine, empty where there is none; only a terminal's links use it.
    """

    prefix: str = ""
    root: str = ""
    forge: Forge | None = None

    def path(self, path: str) -> str:
        """The path from the root of the repository."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def uri(self, path: str) -> str:
        """The path from the root of the repository as a relative, percent-encoded URI."""
        return encoded(self.path(path))

    def web(self, location: Location) -> str:
        """The page of these lines on the forge, or an empty string where none is known."""
        if self.forge is None:
            return ""
        return self.forge.link(self.uri(location.path), location.line, location.end_line)

    def file(self, location: Location) -> str:
        """A `file:` address on this machine, or an empty string."""
        if not self.root:
            return ""
        return "file://" + encoded(f"/{self.root}/{location.path}".replace("//", "/"))


def encoded(path: str) -> str:
    """The path percent-encoded; an undecodable name keeps its bytes."""
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "replace")
    from urllib.parse import quote  # loads the addresses of networks, and most reports have no link

    return quote(raw, safe="/")


def forge_of(environment: Mapping[str, str], revision: str | None) -> Forge | None:
    """The forge that the CI system names in its variables, if it names the commit that was scanned.

    A job may scan another repository than the one it runs for; then the commits differ and there are no links.
    Variables: GitHub Actions (also Gitea and Forgejo), GitLab CI, Azure Pipelines and Bitbucket Pipelines, as their
    documentation lists them.
    """
    if not revision:
        return None
    for read in (_github, _gitlab, _azure, _bitbucket):
        found = read(environment)
        if found is not None and found[1] == revision:
            return found[0]
    return None


def _github(environment: Mapping[str, str]) -> tuple[Forge, str] | None:
    server, name = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    commit = environment.get("GITHUB_SHA", "")
    root = _address(f"{server}/{name}") if server and name else ""
    if not root:
        return None
    other = environment.get("GITEA_ACTIONS") or environment.get("FORGEJO_ACTIONS")
    folder = "src/commit" if other else "blob"
    return Forge(root, f"{root}/{folder}/{_quoted(commit)}/{{path}}", "#L{first}-L{last}"), commit


def _gitlab(environment: Mapping[str, str]) -> tuple[Forge, str] | None:
    root, commit = _address(environment.get("CI_PROJECT_URL", "")), environment.get("CI_COMMIT_SHA", "")
    return (Forge(root, f"{root}/-/blob/{_quoted(commit)}/{{path}}", "#L{first}-{last}"), commit) if root else None


def _azure(environment: Mapping[str, str]) -> tuple[Forge, str] | None:
    root, commit = _address(environment.get("BUILD_REPOSITORY_URI", "")), environment.get("BUILD_SOURCEVERSION", "")
    provider = environment.get("BUILD_REPOSITORY_PROVIDER", "")
    if not root:
        return None
    if provider == "TfsGit":
        lines = "&line={first}&lineEnd={last}&lineStartColumn=1&lineEndColumn=1000&_a=contents"
        return Forge(root, f"{root}?version=GC{_quoted(commit)}&path=/{{path}}", lines), commit
    if provider in ("GitHub", "GitHubEnterprise"):
        root = root.removesuffix(".git")
        return Forge(root, f"{root}/blob/{_quoted(commit)}/{{path}}", "#L{first}-L{last}"), commit
    return None


def _bitbucket(environment: Mapping[str, str]) -> tuple[Forge, str] | None:
    root, commit = _address(environment.get("BITBUCKET_GIT_HTTP_ORIGIN", "")), environment.get("BITBUCKET_COMMIT", "")
    return (Forge(root, f"{root}/src/{_quoted(commit)}/{{path}}", "#lines-{first}:{last}"), commit) if root else None


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text)


def _address(url: str) -> str:
    """A web address without user name, password, query and closing slash; empty for anything else."""
    if not url.strip():
        return ""
    from urllib.parse import quote, urlsplit, urlunsplit

    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    path = quote(parts.path.rstrip("/"), safe="/%")  # braces too: the address becomes a format string
    return urlunsplit((parts.scheme, host + port, path, "", ""))
