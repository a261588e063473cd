// SPDX-License-Identifier: Apache-2.0
#include "app/diagnostics.h"
#include "app/run.h"
#include "cli/parse.h"

#include <csignal>
#include <cstdio>
#include <malloc.h>
#include <variant>

using namespace acceptwatch;

namespace {

Result<void> run(int argc, const char* const* argv) {
  const auto parsed = parse_command_line(argc, argv);
  if (!parsed)
    return tl::unexpected{parsed.error()};
  if (const auto* answer = std::get_if<Answer>(&*parsed)) {
    std::fputs(answer->text.c_str(), stdout);
    return {};
  }
  const auto& options = std::get<Options>(*parsed);
  switch (options.command) {
  case Command::check:
    return run_check(options);
  case Command::list:
    return run_list(options);
  default:
    return run_stream(options);
  }
}

} // namespace

int main(int argc, char** argv) {
  // By default free() keeps up to 64 MiB once that much was used, and a start uses megabytes.
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  // A closed pipe shows as an error of write().
  std::signal(SIGPIPE, SIG_IGN);
  const auto result = run(argc, argv);
  if (result)
    return static_cast<int>(ExitStatus::ok);
  print_error(result.error());
  return static_cast<int>(result.error().status);
}
