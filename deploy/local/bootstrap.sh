# Finds a Python of 3.11 or newer, or installs Debian's, and lets bootstrap.py make .venv with it.
set -eu
cd "$(dirname "$0")/../.."

find_python() {
    for name in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

if ! python=$(find_python); then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "  python  no Python 3.11 or newer here: installing Debian's python3" >&2
        export DEBIAN_FRONTEND=noninteractive
        apt-get -qq update && apt-get -qq install -y --no-install-recommends python3 python3-venv >/dev/null || true
    fi
    if ! python=$(find_python); then
        echo "Python 3.11 or newer is needed: install it (Debian: apt-get install python3 python3-venv)" \
            "or name one with PYTHON=/path/to/python3." >&2
        exit 1
    fi
fi
exec "$python" -m deploy.local.bootstrap
