// SPDX-License-Identifier: Apache-2.0
#include "families/exec_holder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/error.h"
#include "core/helper.h"

namespace acceptwatch::scenarios {

namespace {

constexpr const char* marker = "--hold-descriptors";

[[noreturn]] void exec_self(int listener_fd, int channel_fd) {
  // By its real path: begin_new_exec() takes the name from there, and "exe" would name nothing.
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  ::execl(self.c_str(), self.c_str(), marker, std::to_string(listener_fd).c_str(),
          std::to_string(channel_fd).c_str(), static_cast<char*>(nullptr));
  throw Failure("exec of " + self);
}

void keep_over_exec(int fd) { must(::fcntl(fd, F_SETFD, 0), "clearing FD_CLOEXEC"); }

} // namespace

void exec_holder(int listener_fd, int channel_fd) {
  keep_over_exec(listener_fd);
  keep_over_exec(channel_fd);
  exec_self(listener_fd, channel_fd);
}

void exec_without_listener(int channel_fd) {
  keep_over_exec(channel_fd);
  exec_self(-1, channel_fd);
}

void become_holder_if_asked(int argc, char** argv) {
  if (argc != 4 || std::string(argv[1]) != marker) {
    return;
  }
  const Channel channel{UniqueFd(std::atoi(argv[3]))};
  channel.say(process_name());
  channel.hear("close");
  ::_exit(0);
}

} // namespace acceptwatch::scenarios
