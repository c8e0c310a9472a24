#!/usr/bin/env bash
# Builds dist/homeport, and runs, tests, checks or measures it. `./build.sh help` says how.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
work="$root/.build"
venv="$work/venv"
file="$root/dist/homeport"
verb="${1:-build}"
[ $# -eq 0 ] || shift
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
export RUFF_CACHE_DIR="$work/ruff" MYPY_CACHE_DIR="$work/mypy" HYPOTHESIS_STORAGE_DIRECTORY="$work/hypothesis"

say() { printf '%s\n' "$*" >&2; }
fail() { say "build.sh: $*"; exit 1; }

# One line and how long it took; everything it said when it fails.
stage() {
    local name="$1" started="${EPOCHREALTIME/[.,]/}" log="$work/stage.log"
    shift
    printf '%-44s' "$name" >&2
    if "$@" >"$log" 2>&1 </dev/null 9>&-; then
        local spent=$(((${EPOCHREALTIME/[.,]/} - started) / 100000))
        printf '%d.%d s\n' $((spent / 10)) $((spent % 10)) >&2
    else
        printf 'failed\n\n' >&2
        cat "$log" >&2
        return 1
    fi
}

is_root() { [ "$(id -u)" -eq 0 ]; }
has_apt() { command -v apt-get >/dev/null; }

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update && apt-get install --yes --no-install-recommends "$@"
}

find_python() {
    for python in "${HOMEPORT_PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if python="$(command -v "$python")" && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return
        fi
    done
    fail "Python 3.11 or newer is needed, and this machine has none on its PATH. On Debian 12, Ubuntu 24.04 or newer: apt-get install python3"
}

have_venv() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

need_venv() {
    have_venv && return
    local package
    package="$("$python" -c 'import sys; own = sys.executable == "/usr/bin/python3"; print("python3-venv" if own else "python3.%d-venv" % sys.version_info[1])')"
    { is_root && has_apt; } || fail "Python's venv module is missing. As root: apt-get install $package"
    stage "Installing $package" apt_install "$package"
    have_venv || fail "$package is installed, and $python still can't make a virtual environment."
}

# Tools live in .build/venv; each lock is installed once for as long as it stays the same.
need_tools() {
    local about
    about="$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')"
    if [ "$(cat "$venv/about" 2>/dev/null)" != "$about" ]; then
        need_venv
        stage "Making .build/venv" make_venv "$about"
    fi
    local lock
    for lock in "$@"; do
        cmp -s "$root/requirements/$lock.txt" "$venv/$lock.txt" || stage "Installing requirements/$lock.txt" install_lock "$lock"
    done
}

make_venv() {
    "$python" -m venv --clear "$venv" && printf '%s\n' "$1" >"$venv/about"
}

install_lock() {
    "$venv/bin/python" -m pip install --require-hashes --no-deps --no-compile -r "$root/requirements/$1.txt" &&
        cp "$root/requirements/$1.txt" "$venv/$1.txt"
}

# The file is made again when what went into it has changed, whatever the dates say.
inputs() {
    cd "$root"
    cat "$venv/about"
    find appliance packaging requirements/runtime.txt requirements/build.txt \( -name __pycache__ -o -name '.*' \) -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum
}

need_file() {
    need_tools runtime build
    local now
    now="$(inputs | sha256sum)"
    if [ ! -x "$file" ] || [ "$(cat "$work/inputs" 2>/dev/null)" != "$now" ]; then
        stage "Making dist/homeport" "$venv/bin/python" -I "$root/packaging/build.py"
        printf '%s\n' "$now" >"$work/inputs"
    fi
}

# One build.sh at a time prepares; what it prepared for starts after the lock is let go.
prepare() {
    mkdir -p "$work"
    exec 9>"$work/lock"
    flock 9
    find_python
    "$@"
    exec 9>&-
}

is_there() {
    case "$1" in
        *.so.*) ldconfig -p | grep -F "$1" >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# Each line of such a list: a command or a library, the package that has it, and what for.
need_system() {
    local command package reason missing=() reasons=()
    while read -r command package reason; do
        case "$command" in '' | '#'*) continue ;; esac
        is_there "$command" && continue
        missing+=("$package")
        reasons+=("  $package: $reason")
    done <"$root/requirements/$1.txt"
    [ ${#missing[@]} -gt 0 ] || return 0
    if is_root && has_apt; then
        stage "Installing ${#missing[@]} system packages" apt_install "${missing[@]}"
    else
        say "Not on this machine, and what needs it is skipped:"
        printf '%s\n' "${reasons[@]}" >&2
        say "As root: apt-get install ${missing[*]}"
    fi
}

need_tests() {
    need_file
    need_tools dev
    need_system system
}

need_bench() {
    need_tests
    need_system system-bench
}

types() {
    "$venv/bin/python" -m mypy appliance tests bench &&
        (cd packaging && MYPYPATH="$root" "$venv/bin/python" -m mypy --config-file ../pyproject.toml ./*.py)
}

lint() {
    cd "$root"
    local failed=0 python="$venv/bin/python"
    stage "ruff check" "$python" -m ruff check || failed=1
    stage "ruff format" "$python" -m ruff format --check || failed=1
    stage "mypy" types || failed=1
    stage "import-linter" "$python" -c 'from importlinter.cli import lint_imports_command as run; run()' --cache-dir "$work/imports" || failed=1
    stage "bash -n" bash -n build.sh .ci/run || failed=1
    return "$failed"
}

# Makes the locks again from requirements/*.in; the newest of everything that fits together.
lock() {
    command -v uv >/dev/null || fail "the locks are made with uv, which is not on the PATH"
    cd "$root/requirements"
    local name
    for name in runtime build dev; do
        stage "Locking $name.in" uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
            --no-emit-package pip --no-emit-package setuptools --custom-compile-command "./build.sh lock" \
            "$name.in" -o "$name.txt"
    done
}

usage() {
    cat <<'END'
./build.sh                build dist/homeport
./build.sh serve ...      build it if needed and run `homeport serve ...`
./build.sh test ...       set up what the tests need and run them; the rest goes to pytest
./build.sh lint           ruff, mypy, import-linter
./build.sh bench ...      measure, side by side with the alternatives
./build.sh lock           make requirements/*.txt again from requirements/*.in

HOMEPORT_PYTHON names the Python that it is built with and for; python3 is where none is named.
END
}

case "$verb" in
    build)
        prepare need_file
        say "dist/homeport is ready."
        ;;
    serve)
        prepare need_file
        exec "$python" -I "$file" serve "$@"
        ;;
    test)
        prepare need_tests
        cd "$root"
        HOMEPORT_TEST_FILE="$file" exec "$venv/bin/python" -m pytest --numprocesses 3 --dist loadfile "$@"
        ;;
    bench)
        prepare need_bench
        cd "$root"
        HOMEPORT_TEST_FILE="$file" exec "$venv/bin/python" -m bench "$@"
        ;;
    lint)
        prepare need_tools runtime build dev
        lint
        ;;
    lock) prepare lock ;;
    help | -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
