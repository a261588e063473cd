# SPDX-License-Identifier: Apache-2.0
# cmake --install: what a package has. Completions come from the command line's own table, so the
# program that was built is asked for them.
include(GNUInstallDirs)

set(completions ${CMAKE_BINARY_DIR}/completions)
set(made)
foreach(shell_and_file bash:acceptwatch zsh:_acceptwatch fish:acceptwatch.fish)
  string(REPLACE ":" ";" pair ${shell_and_file})
  list(GET pair 0 shell)
  list(GET pair 1 file)
  add_custom_command(
    OUTPUT ${completions}/${shell}/${file}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${completions}/${shell}
    COMMAND acceptwatch completion ${shell} > ${completions}/${shell}/${file}
    DEPENDS acceptwatch VERBATIM)
  list(APPEND made ${completions}/${shell}/${file})
endforeach()
add_custom_target(completions ALL DEPENDS ${made})

install(TARGETS acceptwatch DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES ${completions}/bash/acceptwatch DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${completions}/fish/acceptwatch.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
set(ACCEPTWATCH_ZSH_DIR ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING "Where zsh looks for completions")
install(FILES ${completions}/zsh/_acceptwatch DESTINATION ${ACCEPTWATCH_ZSH_DIR})

file(GLOB pages ${CMAKE_SOURCE_DIR}/docs/*.8)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(DIRECTORY docs/schema DESTINATION ${CMAKE_INSTALL_DATADIR}/acceptwatch FILES_MATCHING PATTERN "*.json")
install(FILES README.md CHANGELOG.md packaging/THIRD-PARTY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY packaging/examples DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(ACCEPTWATCH_UNIT_DIR lib/systemd/system CACHE STRING "Where the service manager looks for units")
install(FILES packaging/acceptwatch.service DESTINATION ${ACCEPTWATCH_UNIT_DIR})
install(FILES packaging/acceptwatch.conf DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/acceptwatch)
install(FILES packaging/acceptwatch.logrotate DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/logrotate.d
  RENAME acceptwatch)
