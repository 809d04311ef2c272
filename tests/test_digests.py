from __future__ import annotations

import hashlib
import subprocess
import sys

from mlops_scan import digests


def test_they_are_those_of_hashlib() -> None:
    for data in (b"", b"x", b"y" * 1000):
        assert digests.sha256(data).hexdigest() == hashlib.sha256(data).hexdigest()
        assert digests.sha1(data).hexdigest() == hashlib.sha1(data).hexdigest()
        for size in (16, 20, 64):
            assert digests.blake2b(data, digest_size=size).digest() == hashlib.blake2b(data, digest_size=size).digest()


def test_a_python_without_them_takes_hashlib() -> None:
    code = (
        "import sys; sys.modules.update({'_sha1': None, '_sha2': None, '_sha256': None})\n"
        "from mlops_scan import digests; import hashlib\n"
        "assert digests.sha256 is hashlib.sha256"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
