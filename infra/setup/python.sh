#!/usr/bin/env bash
# Makes .venv from a lock, and does nothing where that lock is installed already.
# Usage: python.sh runtime|development
set -euo pipefail
cd "$(dirname "$0")/../.."

scope=$1
root=$PWD
venv=$root/.venv
declare -A locks=([runtime]=infra/locks/requirements.txt [development]=infra/locks/dev.txt)
lock=${locks[$scope]}

fail() {
    echo "quarterdeck: $1" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or later is needed and was not found: install it, or name it with PYTHON=/path/to/python."
}

# Scripts in a virtual environment carry its path, so one that was moved is of no use.
is_usable() {
    is_new_enough "$venv/bin/python" &&
        [[ $(head -n 1 "$venv/bin/pip" 2>/dev/null) == *"$venv/bin/"* ]]
}

fingerprint() {
    "$venv/bin/python" - "$lock" pyproject.toml <<'EOF'
import hashlib, sys
digest = hashlib.sha256(sys.version.encode())
for name in sys.argv[1:]:
    digest.update(open(name, "rb").read())
print(digest.hexdigest())
EOF
}

if ! is_usable; then
    python=$(find_python)
    echo "Making .venv with $("$python" -V)"
    "$python" -m venv --clear "$venv" ||
        fail "this Python cannot make virtual environments: install its venv module (python3-venv on Debian)."
fi

wanted=$(fingerprint)
stamp=$venv/.$scope
if [[ -x $venv/bin/quarterdeck && $(cat "$stamp" 2>/dev/null) == "$wanted" ]]; then
    exit 0
fi

echo "Installing the Python packages of $lock"
pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input --quiet)
"${pip[@]}" install --require-hashes --requirement "$lock"
"${pip[@]}" install --no-deps --no-build-isolation --editable .
echo "$wanted" >"$stamp"
