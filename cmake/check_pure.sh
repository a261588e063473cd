#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: check_pure.sh LIBRARY
# Fails where the library calls something that reads a file or a clock, or libbpf or CLI11.
set -eu
symbols=$(nm --undefined-only --demangle "$1" | sed -n 's/^ *U //p' | sort -u)
found=$(printf '%s\n' "$symbols" | grep -E \
  '^(open(at|dir)?(64)?|fopen(64)?|read(link|dir)?(64)?|write|p(read|write)(64)?|f?stat(at)?(64)?|lstat(64)?|socket|ioctl|unlink|clock_gettime|gettimeofday|time|nanosleep|getenv|getpid|bpf_.*|btf__.*|ring_buffer__.*|CLI::.*|std::(basic_)?[io]?fstream.*|std::filesystem::.*|std::chrono::.*::now\(\).*)(@.*)?$' ||
  true)
if [ -n "$found" ]; then
  printf '%s is to be pure, and calls:\n%s\n' "$1" "$found" >&2
  exit 1
fi
