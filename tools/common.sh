# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the programs in this folder: where the tree is, root, packages.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$(basename "$0"): $*"
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "root is needed for '$*', and there is no sudo here: run this as root."
  fi
}

# Installs the Debian packages that are not there yet.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null ||
    die "these Debian packages are needed: ${missing[*]}. Install their like by hand."
  say "installing ${missing[*]}"
  as_root apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >&2
}

# shellcheck disable=SC2034 # used by those that source this
build_packages=(bpftool clang cmake g++ libbpf-dev libcap-dev libcli11-dev libelf-dev libexpected-dev
  libfmt-dev libseccomp-dev llvm make ninja-build pkg-config rapidjson-dev zlib1g-dev)

# quietly COMMAND...: its messages go to stderr, and only if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  (cd "$top" && "$@") >"$log" 2>&1 || status=$?
  [ $status = 0 ] || cat "$log" >&2
  rm -f "$log"
  return $status
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  if ! { quietly cmake --preset "$preset" && quietly cmake --build --preset "$preset" --target "$@"; }; then
    die "the build of preset $preset failed"
  fi
}
