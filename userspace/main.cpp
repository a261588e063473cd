// SPDX-License-Identifier: Apache-2.0
#include "cli/parse.h"
#include "commands/commands.h"
#include "commands/diagnostics.h"
#include "output/outlet.h"

#include <csignal>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <new>
#include <unistd.h>
#include <variant>

using namespace acceptwatch;

namespace {

/// Where one of the three is closed, the next file that is opened would be taken for it, and be
/// written what is meant for people. Standard output stays one that cannot be written to.
void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) < 0)
      static_cast<void>(open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY));
  }
}

/// Of a run that did not fail.
Result<ExitStatus> ended(const Result<void>& result) {
  return result.map([] { return ExitStatus::ok; });
}

Result<ExitStatus> run(int argc, const char* const* argv) {
  const auto parsed = parse_command_line(argc, argv);
  if (!parsed)
    return tl::unexpected{parsed.error()};
  if (const auto* answer = std::get_if<Answer>(&*parsed)) {
    return ended(print_to_stdout(answer->text));
  }
  const auto& options = std::get<Options>(*parsed);
  switch (options.command) {
  case Command::check:
    return ended(check(options));
  case Command::list:
    return ended(list(options));
  default:
    if (!options.played.empty())
      return ended(play(options));
    return watch(options);
  }
}

} // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  // By default free() keeps up to 64 MiB once that much was used, and a start uses megabytes.
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  // A closed pipe shows as an error of write().
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto result = run(argc, argv);
    if (result)
      return static_cast<int>(*result);
    print_error(result.error());
    return static_cast<int>(result.error().status);
  } catch (const std::bad_alloc&) {
    print_error({ExitStatus::failed, "there is not enough memory",
                 "`ulimit -v` or the limit of a memory cgroup may forbid more."});
    return static_cast<int>(ExitStatus::failed);
  } catch (const std::exception& unexpected) {
    print_error({ExitStatus::failed,
                 fmt::format("stopped by an unexpected error: {}", unexpected.what()),
                 "Please report it, with what acceptwatch was started with."});
    return static_cast<int>(ExitStatus::failed);
  }
}
