# SPDX-License-Identifier: Apache-2.0
# room(NAME SOURCES file... USES room... [PRIVATE target...] [PURE]): a static library of the folder
# userspace/NAME. A room sees the headers of the rooms it uses, and of those that they use, and no
# others: each has an include directory of its own, in which there is nothing but a link to its
# folder. So what is not named here does not compile.
#
# PURE: when it is built, it must call nothing that reads a file or a clock, and nothing of libbpf
# or CLI11: cmake/check_pure.sh looks at its symbols.
function(room name)
  cmake_parse_arguments(ROOM "PURE" "" "SOURCES;USES;PRIVATE" ${ARGN})
  list(TRANSFORM ROOM_SOURCES PREPEND ${name}/)
  add_library(${name} STATIC ${ROOM_SOURCES})
  set(view ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${view}/${name} SYMBOLIC)
  target_include_directories(${name} PUBLIC ${view})
  target_link_libraries(${name} PUBLIC ${ROOM_USES} PRIVATE warnings ${ROOM_PRIVATE})
  if(ROOM_PURE)
    add_custom_command(TARGET ${name} POST_BUILD
      COMMAND ${CMAKE_SOURCE_DIR}/cmake/check_pure.sh $<TARGET_FILE:${name}> VERBATIM)
  endif()
endfunction()

# interface_of(NAME HEADER [SOURCES file...] USES target...): one header of another room, by itself:
# what is asked there, without seeing who answers.
function(interface_of name header)
  cmake_parse_arguments(INTERFACE "" "" "SOURCES;USES" ${ARGN})
  set(view ${CMAKE_BINARY_DIR}/rooms/${name})
  get_filename_component(folder ${header} DIRECTORY)
  file(MAKE_DIRECTORY ${view}/${folder})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${header} ${view}/${header} SYMBOLIC)
  if(INTERFACE_SOURCES)
    add_library(${name} STATIC ${INTERFACE_SOURCES})
    target_include_directories(${name} PUBLIC ${view})
    target_link_libraries(${name} PUBLIC ${INTERFACE_USES} PRIVATE warnings)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${view})
    target_link_libraries(${name} INTERFACE ${INTERFACE_USES})
  endif()
endfunction()
