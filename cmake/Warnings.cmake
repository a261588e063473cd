# SPDX-License-Identifier: Apache-2.0
add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-qual -Wformat=2 -Wimplicit-fallthrough -Wundef)
# g++ 12 sees, at -O3, what is not there: overflows in an inlined vector::insert() and in
# `"literal" + string` (GCC bug 105651), and an optional's value that is read before it is set.
target_compile_options(warnings INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-array-bounds>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-maybe-uninitialized>)
# clang 19 warns of every field that LIBBPF_OPTS() leaves out, and of what libstdc++ 12 itself calls
# in stable_sort(). Of both, in our own lines, g++ warns.
target_compile_options(warnings INTERFACE
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-field-initializers>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
