# SPDX-License-Identifier: Apache-2.0
add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-qual -Wformat=2 -Wimplicit-fallthrough -Wundef)
# g++ 12 sees, at -O3, overflows in an inlined vector::insert() that are none.
target_compile_options(warnings INTERFACE -Wno-stringop-overflow)
