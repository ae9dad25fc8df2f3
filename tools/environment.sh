#!/bin/sh
# Makes .venv fit pyproject.toml and requirements/dev.lock. Does nothing, in milliseconds, when it already does.
# Run from the root of the checkout (make does). Needs Python 3.11+ with venv and pip, nothing else.
set -eu

stamp=.venv/.segue-environment
here=$(pwd)
inputs=$(cat pyproject.toml requirements/dev.lock src/segue/version.py tools/environment.sh | cksum)

if [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$here
$inputs" ]; then
    exit 0
fi

suitable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        if suitable "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    echo "No Python 3.11 or newer with venv and ensurepip was found: install one (Debian: apt-get install python3-venv) or name it: make PYTHON=/path/to/python3" >&2
    return 1
}

# An environment that was moved with its checkout, lost its interpreter or is too old is made anew.
if ! suitable .venv/bin/python || { [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" != "$here" ]; }; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi
rm -f "$stamp"

uv_version=$(sed -n 's/^uv==\([^ ;]*\).*/\1/p' requirements/dev.lock)

# uv is fast, but reads no pip configuration; where it finds no packages, pip may know the machine's own index.
install() {
    if .venv/bin/python -m uv pip install --quiet --python .venv/bin/python "$@"; then
        return 0
    fi
    echo "uv could not install; trying pip, which reads this machine's pip configuration" >&2
    .venv/bin/python -m pip install --quiet "$@"
}

echo "Installing requirements/dev.lock into .venv"
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version"; then
    echo "pip cannot install uv $uv_version: check the network, or the index in pip's configuration" >&2
    exit 1
fi
install -r requirements/dev.lock
install --no-deps --no-build-isolation -e .
printf '%s\n%s\n' "$here" "$inputs" >"$stamp"
