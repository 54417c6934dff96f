"""The variables a script finds, as a file that a POSIX shell reads."""

import shlex
from collections.abc import Mapping

from application.ports import OperationRequest

SYSTEM_PATH = 'export PATH="${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin"'
"""The log-in's folders come first, then those of sudo's secure_path, then those of the system."""


def variables_of(
    request: OperationRequest,
    phase: str,
    outputs: Mapping[str, str],
    given: Mapping[str, str],
    state_file: str,
) -> str:
    """Ours, what earlier phases wrote, and what the installation gives, in this order."""
    variables = {
        "QUARTERDECK_CLUSTER_ID": str(request.cluster_id),
        "QUARTERDECK_CLUSTER_NAME": request.cluster_name,
        "QUARTERDECK_TASK_ID": str(request.task_id),
        "QUARTERDECK_PHASE": phase,
        "QUARTERDECK_STATE": state_file,
        **{f"QUARTERDECK_STATE_{key}": text for key, text in outputs.items()},
        **given,
    }
    lines = [f"export {name}={shlex.quote(text)}" for name, text in variables.items()]
    return "\n".join([SYSTEM_PATH, *lines, ""])
