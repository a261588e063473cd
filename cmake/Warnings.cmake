# SPDX-License-Identifier: Apache-2.0
add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-qual -Wformat=2 -Wimplicit-fallthrough -Wundef)
# g++ 12 sees, at -O3, overflows in an inlined vector::insert() that are none.
target_compile_options(warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
# clang 19 warns of every field that LIBBPF_OPTS() leaves out, and of what libstdc++ 12 itself calls
# in stable_sort(). Of both, in our own lines, g++ warns.
target_compile_options(warnings INTERFACE
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-field-initializers>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
