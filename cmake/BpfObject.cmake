# SPDX-License-Identifier: Apache-2.0
# bpf_object(NAME SOURCE): compile SOURCE for the BPF machine and let bpftool make
# NAME.skel.h of it; the interface target NAME_skeleton has it on its include path.
find_program(CLANG clang REQUIRED)
find_program(LLVM_STRIP NAMES llvm-strip llvm-strip-14 REQUIRED)
find_program(BPFTOOL bpftool PATHS /usr/sbin /sbin REQUIRED)

if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  message(FATAL_ERROR "vmlinux/ has no kernel types for ${CMAKE_SYSTEM_PROCESSOR} yet: see vmlinux/generate")
endif()

file(GLOB BPF_HEADERS CONFIGURE_DEPENDS
     ${CMAKE_SOURCE_DIR}/bpf/*.h ${CMAKE_SOURCE_DIR}/include/acceptwatch/*.h)

# All of them: what a source needs that is generated.
add_custom_target(skeletons)

function(bpf_object name source)
  set(directory ${CMAKE_BINARY_DIR}/bpf)
  set(object ${directory}/${name}.bpf.o)
  set(skeleton ${directory}/${name}.skel.h)
  file(MAKE_DIRECTORY ${directory})
  # v2: 5.10's verifier follows bounds through 32-bit jumps (v3) less well.
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${CLANG} -g -O2 -target bpf -mcpu=v2 -D__TARGET_ARCH_x86 -std=gnu11
            -Wall -Wextra -Werror -Wno-unused-parameter
            -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.
            -I${CMAKE_SOURCE_DIR}/vmlinux/x86_64 -I${CMAKE_SOURCE_DIR}/include
            -c ${CMAKE_SOURCE_DIR}/${source} -o ${object}
    COMMAND ${LLVM_STRIP} -g ${object}
    DEPENDS ${CMAKE_SOURCE_DIR}/${source} ${BPF_HEADERS}
            ${CMAKE_SOURCE_DIR}/vmlinux/x86_64/vmlinux.h
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.new ${skeleton}
    DEPENDS ${object}
    VERBATIM)
  add_custom_target(${name}_skeleton_file DEPENDS ${skeleton})
  add_dependencies(skeletons ${name}_skeleton_file)
  add_library(${name}_skeleton INTERFACE)
  target_include_directories(${name}_skeleton SYSTEM INTERFACE ${directory})
  add_dependencies(${name}_skeleton ${name}_skeleton_file)
endfunction()
