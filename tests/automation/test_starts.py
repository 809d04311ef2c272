from __future__ import annotations

import pytest

from mlops_scan.automation import images, starts
from tests.automation.trees import resolver_of

TRAIN = {"train.py": "def main(): pass\ndef other(): pass\n"}


def test_declared_pipelines() -> None:
    resolver = resolver_of({"dvc.yaml": "stages:\n  a: {cmd: python train.py}\n", **TRAIN})
    (run,) = starts.pipeline_runs(resolver.pipelines, resolver)
    assert (run.start.kind, run.entries[0], run.location.line) == ("pipeline", ("train.py", ""), 2)


def test_processes_of_a_platform() -> None:
    text = "# web: python train.py\nweb: uvicorn main:app --port $PORT\n\nworker: python worker.py\nnot a process\n"
    tree = {"app/Procfile": text, "app/worker.py": "x = 1\n", "docs/Procfile": "web: python train.py\n"}
    resolver = resolver_of({"app/main.py": "app = 1\n", **TRAIN, **tree})
    runs = [run for run in starts.service_runs(resolver.documents, resolver) if run.entries]
    assert [(run.start.kind, run.location.line, run.entries[0][0]) for run in runs] == [
        ("service", 2, "app/main.py"),
        ("service", 4, "app/worker.py"),
    ]


def services(tree: dict[str, str]) -> list[tuple[str, list[str]]]:
    resolver = resolver_of({"app/main.py": "app = 1\n", **TRAIN, **tree})
    runs = starts.service_runs(resolver.documents, resolver)
    return [(run.start.label, [path for path, _ in run.entries]) for run in runs]


@pytest.mark.parametrize(
    ("lines", "entries"),
    [
        ('CMD ["uvicorn", "app.main:app"]', ["app/main.py"]),
        ("CMD uvicorn app.main:app --port $PORT", ["app/main.py"]),
        ('ENTRYPOINT ["python"]\nCMD ["app/main.py"]', ["app/main.py"]),
        ('ENTRYPOINT ["python", "app/main.py"]\nCMD ["--help"]', ["app/main.py"]),
        ("CMD python train.py\nCMD python app/main.py", ["app/main.py"]),
        ('CMD ["python", "train.py"]\nFROM y\nCMD ["python", "app/main.py"]', ["app/main.py"]),
        ('ENTRYPOINT ["./entry.sh"]\nCMD ["python", "app/main.py"]', ["app/main.py"]),
        ("RUN python train.py", []),
    ],
)
def test_dockerfiles(lines: str, entries: list[str]) -> None:
    found = [paths for _, paths in services({"Dockerfile": f"FROM x\n{lines}\n"}) if paths]
    assert sorted({path for paths in found for path in paths}) == entries


def test_dockerfiles_of_examples() -> None:
    assert (
        services(
            {
                "examples/Dockerfile": "FROM x\nCMD python train.py\n",
                "docs/docker-compose.yml": "services: {a: {command: x}}",
            }
        )
        == []
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("compose.yaml", True),
        ("docker-compose.prod.yml", True),
        ("app-docker-compose.yml", True),
        ("app.compose.yaml", True),
        ("decompose.yaml", False),
        ("compose.md", False),
    ],
)
def test_names_of_compose_files(name: str, expected: bool) -> None:
    assert images.is_compose(name) is expected


def test_compose_services() -> None:
    tree = {
        "deploy/docker-compose.yml": """\
            services:
              web:
                build: {context: .., dockerfile: deploy/Dockerfile}
              job:
                image: x
                command: ["python", "train.py", "--name", "a b"]
              shell:
                image: x
                entrypoint: python
                command: train.py
              db: {image: y}
              broken: 3
            """,
        "deploy/Dockerfile": "FROM x\nCMD python app/main.py\n",
    }
    assert [(label, paths[:1]) for label, paths in services(tree)] == [
        ("compose service web", ["app/main.py"]),
        ("compose service job", ["train.py"]),
        ("compose service shell", ["train.py"]),
        ("deploy/Dockerfile", ["app/main.py"]),
    ]
    resolver = resolver_of({**tree, **TRAIN})
    (job,) = [run for run in starts.service_runs(resolver.documents, resolver) if run.start.label.endswith("job")]
    assert (job.location.line, job.words[-1], job.start.evidence.location.line) == (6, "a b", 4)
