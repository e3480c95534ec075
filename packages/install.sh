#!/bin/sh
# Installs the program into ~/.local/bin (or $ROLECALL_INSTALL): downloads the archive of this platform, checks its sum, unpacks it.
#
#   sh install.sh [VERSION]
#
# It downloads from the address that the release script was given (packages/build.py --home URL), or from $ROLECALL_DOWNLOAD.
set -eu

from=${ROLECALL_DOWNLOAD:-@home@/releases}
version=${1:-@version@}
into=${ROLECALL_INSTALL:-$HOME/.local/bin}

fail() { printf 'error: %s\nfix: %s\n' "$1" "$2" >&2; exit 1; }

case "$(uname -s)" in
    Linux) system=unknown-linux-gnu ;;
    Darwin) system=apple-darwin ;;
    *) fail "there is no archive for $(uname -s)" 'build it from source: cargo install --path .' ;;
esac
case "$(uname -m)" in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) fail "there is no archive for $(uname -m)" 'build it from source: cargo install --path .' ;;
esac
case "$from" in
    *://*.example/*) fail "this installer was made without an address to download from" \
        'set ROLECALL_DOWNLOAD to the address of the releases, or build it from source: cargo install --path .' ;;
esac
archive=rolecall-$version-$machine-$system.tar.gz

get() {
    if command -v curl >/dev/null; then curl -fsSL "$1" -o "$2"
    elif command -v wget >/dev/null; then wget -q "$1" -O "$2"
    else fail 'neither curl nor wget is here' 'install one of them'; fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
get "$from/$version/$archive" "$work/$archive" || fail "$from/$version/$archive cannot be had" 'look whether this version has an archive for this platform'
get "$from/$version/SHA256SUMS" "$work/SHA256SUMS" || fail "$from/$version/SHA256SUMS cannot be had" 'try again later'
wanted=$(grep " $archive\$" "$work/SHA256SUMS" | cut -d' ' -f1)
if command -v sha256sum >/dev/null; then found=$(sha256sum "$work/$archive"); else found=$(shasum -a 256 "$work/$archive"); fi
[ -n "$wanted" ] && [ "$wanted" = "${found%% *}" ] || fail "the sum of $archive is not the one that was published" 'do not use it; try again later'
tar -xzf "$work/$archive" -C "$work"
mkdir -p "$into"
mv "$work/rolecall" "$into/rolecall.new"
mv "$into/rolecall.new" "$into/rolecall"
printf 'Rolecall %s is %s/rolecall.\n' "$version" "$into"
case ":$PATH:" in
    *":$into:"*) ;;
    *) printf 'It is not on your path yet: add %s to PATH.\n' "$into" ;;
esac
printf 'Connect a client: rolecall connect CLIENT\n'
