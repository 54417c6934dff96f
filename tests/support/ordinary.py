"""An ordinary account for tests that run as root: `nobody`, who may do nothing in particular."""

import os
import pwd
import sys
from pathlib import Path

NOBODY = pwd.getpwnam("nobody")

SHOW_INTERPRETER = """
held=$(mktemp -d)
mount --bind "$1" "$held"
mount -t tmpfs -o mode=755 none "$2"
mkdir -p "$1"
mount --bind "$held" "$1"
shift 2
exec "$@"
"""
"""In a mount namespace of its own, a closed folder shows nothing but the interpreter below it."""


def as_ordinary() -> list[str]:
    """Words that start a program under the account; none where the tests have one themselves."""
    if os.geteuid() != 0:
        return []
    drop = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]
    prefix = Path(sys.base_prefix).resolve()
    closed = next((p for p in reversed(prefix.parents) if not p.stat().st_mode & 0o001), None)
    if closed is None:
        return drop
    return [
        *("unshare", "--mount", "sh", "-euc", SHOW_INTERPRETER, "sh"),
        str(prefix),
        str(closed),
        *drop,
    ]


def give(folder: Path) -> None:
    """Let the account have the folder."""
    if os.geteuid() == 0:
        os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
