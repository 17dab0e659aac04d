#!/bin/sh
# Set up .venv from a lock file and, on Debian and Ubuntu, the system libraries that Qt needs.
#
#   tools/setup.sh run     what the program needs
#   tools/setup.sh test    that and the tools of the tests
#
# Runs again only when a lock file or pyproject.toml changed. As root on Debian it installs missing packages by apt;
# otherwise it names them.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}
case $kind in
run) lock=requirements.lock ;;
test) lock=requirements-dev.lock ;;
*) echo "usage: tools/setup.sh run|test" >&2 && exit 2 ;;
esac

qt_packages="libegl1 libgl1 libopengl0 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon0 libxkbcommon-x11-0 \
libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 \
libxcb-xinerama0 libxcb-xkb1 libxcb-sync1 libxcb-xfixes0 libpulse0"

apt_install() { # PACKAGES...: install them, or say that somebody has to
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Debian packages: $*"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    elif command -v apt-get >/dev/null; then
        echo "Missing system packages. Please run:  sudo apt-get install $*" >&2
        exit 1
    else
        echo "Missing system libraries; on Debian they are in: $*" >&2
        exit 1
    fi
}

find_python() {
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

stamp=".venv/.setup-$kind"
sum=$(cat "$lock" pyproject.toml "$0" | cksum)
if [ -x .venv/bin/ethereal ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
    exit 0
fi

python=$(find_python)
if [ -z "$python" ]; then
    apt_install python3 python3-venv
    python=$(find_python)
    [ -n "$python" ] || { echo "Ethereal needs Python 3.11 or newer." >&2 && exit 1; }
fi
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv
    "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    echo "Making a virtual environment with $("$python" --version)"
    "$python" -m venv .venv
fi
echo "Installing what $lock names"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .

qt_is_complete() { # the modules load, and so does the plugin that opens windows on X11
    .venv/bin/python - <<'PYTHON' 2>/dev/null
import ctypes
from pathlib import Path

import PySide6
import PySide6.QtMultimedia
import PySide6.QtSvg
import PySide6.QtWidgets

ctypes.CDLL(str(Path(PySide6.__file__).parent / "Qt/plugins/platforms/libqxcb.so"))
PYTHON
}

if [ "$(uname -s)" = Linux ] && ! qt_is_complete; then
    # shellcheck disable=SC2086
    apt_install $qt_packages
    qt_is_complete || { echo "Qt still lacks a system library; see: ldd on PySide6's libqxcb.so" >&2 && exit 1; }
fi
echo "$sum" >"$stamp"
