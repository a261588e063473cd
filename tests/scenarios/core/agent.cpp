// SPDX-License-Identifier: Apache-2.0
#include "core/agent.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

#include "core/error.h"
#include "core/hardship.h"

namespace acceptwatch::scenarios {

namespace {

constexpr std::chrono::seconds start_limit{60};
constexpr std::chrono::seconds stop_limit{30};
constexpr int pipe_size = 32 << 20;

struct Pipe {
  UniqueFd read;
  UniqueFd write;

  Pipe() {
    std::array<int, 2> ends;
    must(::pipe2(ends.data(), O_CLOEXEC), "pipe");
    read = UniqueFd(ends[0]);
    write = UniqueFd(ends[1]);
  }
};

[[noreturn]] void execute(const std::vector<std::string>& command, int out, int err) {
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  const std::string text = cat("cannot run ", command[0], ": ", std::strerror(errno), "\n");
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(127);
}

void enter_netns(const std::string& path) {
  if (path.empty()) {
    return;
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) {
    ::_exit(126);
  }
}

void add_withheld_probes(const std::set<std::string>& without, std::vector<std::string>& command) {
  for (const std::string& what : without) {
    if (const auto probe = probe_of(what)) {
      command.insert(command.end(), {"--without-probe", *probe});
    }
  }
}

// In the process that is about to become acceptwatch.
void suffer(const std::set<std::string>& without) {
  try {
    do_without(without);
  } catch (const Failure& failure) {
    ::dprintf(STDERR_FILENO, "acceptwatch-scenarios: %s\n", failure.what());
    ::_exit(125);
  }
}

int status_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string whole(int fd) {
  std::string text;
  std::array<char, 4096> chunk;
  off_t at = 0;
  for (ssize_t size = 0; (size = ::pread(fd, chunk.data(), chunk.size(), at)) > 0; at += size) {
    text.append(chunk.data(), static_cast<size_t>(size));
  }
  return text;
}

UniqueFd memory_file() {
  return UniqueFd(must(::memfd_create("stderr", MFD_CLOEXEC), "memfd_create"));
}

} // namespace

Agent::Agent(const AgentOptions& options) : stderr_(memory_file()) {
  Pipe out;
  Pipe ready;
  std::vector<std::string> command = {options.path, "--probes",
                                      options.tier, "-j",
                                      "--ready-fd", std::to_string(ready.write.get())};
  add_withheld_probes(options.without, command);
  if (!options.look_budget.empty()) {
    command.insert(command.end(), {"--look-budget", options.look_budget});
  }
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  pid_ = must(::fork(), "fork");
  if (pid_ == 0) {
    ::fcntl(ready.write.get(), F_SETFD, 0);
    enter_netns(options.netns);
    suffer(options.without);
    execute(command, out.write.get(), stderr_.get());
  }
  // acceptwatch does not wait for its reader: what has no room is lost. On an emulated CPU lines
  // are read later than they are written. That more than a megabyte is granted takes root.
  ::fcntl(out.read.get(), F_SETPIPE_SZ, pipe_size);
  stdout_ = std::move(out.read);
  ready_ = std::move(ready.read);
  ::fcntl(stdout_.get(), F_SETFL, O_NONBLOCK);
}

Agent::~Agent() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Agent::await_ready() {
  char byte = 0;
  if (!readable(ready_.get(), start_limit) || ::read(ready_.get(), &byte, 1) != 1) {
    throw Failure("acceptwatch did not become ready: " + complaints());
  }
}

bool Agent::take_lines() {
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t size = ::read(stdout_.get(), chunk.data(), chunk.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
      return true;
    }
    if (size <= 0) {
      return false;
    }
    buffer_.append(chunk.data(), static_cast<size_t>(size));
    size_t begin = 0;
    for (size_t end = 0; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      lines_.push_back(buffer_.substr(begin, end - begin));
    }
    buffer_.erase(0, begin);
  }
}

void Agent::await_line_count(size_t count) {
  const auto deadline = Clock::now() + start_limit;
  while (lines_.size() < count) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0 || !readable(fd(), left) || !take_lines()) {
      throw Failure(
          cat("acceptwatch wrote ", lines_.size(), " records, not ", count, ": ", complaints()));
    }
  }
}

void Agent::await_end(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (take_lines()) {
    if (Clock::now() > deadline) {
      throw Failure(cat("acceptwatch did not end by itself within ", limit.count(), " ms"));
    }
    readable(fd(), std::chrono::milliseconds(100));
  }
}

void Agent::stop() {
  ::kill(pid_, SIGTERM);
  const auto deadline = Clock::now() + stop_limit;
  while (take_lines()) {
    if (Clock::now() > deadline) {
      ::kill(pid_, SIGKILL);
      throw Failure(cat("acceptwatch did not end within ", stop_limit.count(), " s of SIGTERM"));
    }
    readable(fd(), std::chrono::milliseconds(100));
  }
  // Its list of system calls has to have all that any run makes, on any kernel and tier.
  if (complaints().find("is not one that a sealed run makes") != std::string::npos) {
    throw Failure("acceptwatch was refused a system call: " + complaints());
  }
  int status = 0;
  rusage usage{};
  must(::wait4(pid_, &status, 0, &usage), "waiting for acceptwatch");
  pid_ = -1;
  exit_status_ = status_code(status);
  cpu_seconds_ = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

std::string Agent::complaints() const {
  const std::string text = whole(stderr_.get());
  return text.empty() ? "it said nothing on stderr" : text;
}

Check run_check(const AgentOptions& options) {
  const UniqueFd out = memory_file();
  const UniqueFd err = memory_file();
  std::vector<std::string> command = {options.path, "check", "--probes", options.tier, "-j"};
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  add_withheld_probes(options.without, command);
  const pid_t pid = must(::fork(), "fork");
  if (pid == 0) {
    suffer(options.without);
    execute(command, out.get(), err.get());
  }
  int status = 0;
  wait_for(
      "`acceptwatch check` to end", [&] { return ::waitpid(pid, &status, WNOHANG) == pid; },
      start_limit);
  if (status_code(status) != 0) {
    Check refused;
    refused.exit_status = status_code(status);
    refused.complaints = whole(err.get());
    return refused;
  }
  return parse_check(whole(out.get()), 0);
}

} // namespace acceptwatch::scenarios
