# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What fetch and run share: the matrix, the cache, and how to complain.

vm_dir=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
kernels_tsv=$vm_dir/kernels.tsv
# shellcheck disable=SC2034  # the scripts that read this file use it
kernel_cache=${ACCEPTWATCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/acceptwatch}/kernels

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
    say "$@"
    exit 125
}

# need COMMAND PACKAGE: stop unless the command is there.
need() {
    command -v "$1" >/dev/null || die "$1 is missing: install the Debian package $2"
}

# The names of all kernels in the matrix, one a line.
kernel_names() {
    sed -n '/^#/d; s/\t.*//p' "$kernels_tsv"
}

# kernel_field NAME COLUMN: one field of a kernel's row (2 suite, 3 package, 4 tiers, 5 note).
kernel_field() {
    awk -F '\t' -v name="$1" -v column="$2" '!/^#/ && $1 == name { print $column }' "$kernels_tsv"
}

# Stops unless NAME is in the matrix.
require_kernel() {
    [[ -n $(kernel_field "$1" 2) ]] ||
        die "no kernel '$1' in $kernels_tsv, which has: $(kernel_names | xargs)"
}
