// SPDX-License-Identifier: Apache-2.0
#include "core/helper.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

#include "core/error.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

namespace {

constexpr char failure_mark = '!';
// Longer than any scenario may take.
constexpr unsigned life_seconds = 180;

[[noreturn]] void run_helper(const std::string& name, const Helper::Body& body,
                             const Channel& channel) {
  ::alarm(life_seconds);
  set_process_name(name);
  try {
    body(channel);
  } catch (const std::exception& failure) {
    const std::string text = cat(failure_mark, name, ": ", failure.what());
    ::send(channel.fd(), text.data(), text.size(), MSG_NOSIGNAL);
    ::_exit(1);
  }
  ::_exit(0);
}

} // namespace

void Channel::say(const std::string& message) const {
  must(::send(fd(), message.data(), message.size(), MSG_NOSIGNAL),
       "telling another process " + message);
}

void Channel::await_word() const {
  while (!readable(fd(), patience)) {
  }
}

std::string Channel::hear() const {
  if (!readable(fd(), patience)) {
    throw Failure("another process of the scenario says nothing");
  }
  std::array<char, 4096> buffer;
  const ssize_t size =
      must(::recv(fd(), buffer.data(), buffer.size(), 0), "hearing another process");
  if (size == 0) {
    throw Failure("another process of the scenario is gone");
  }
  std::string message(buffer.data(), static_cast<size_t>(size));
  if (message[0] == failure_mark) {
    throw Failure(message.substr(1));
  }
  return message;
}

void Channel::hear(const std::string& expected) const {
  const std::string heard = hear();
  if (heard != expected) {
    throw Failure(cat("expected \"", expected, "\" from another process, heard \"", heard, "\""));
  }
}

void Channel::pass_fd(int passed) const {
  char byte = 'f';
  iovec content{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &passed, sizeof(passed));
  must(::sendmsg(fd(), &message, MSG_NOSIGNAL), "passing a file descriptor");
}

UniqueFd Channel::take_fd() const {
  if (!readable(fd(), patience)) {
    throw Failure("no file descriptor was passed");
  }
  char byte = 0;
  iovec content{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  must(::recvmsg(fd(), &message, MSG_CMSG_CLOEXEC), "taking a file descriptor");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) {
    throw Failure("a message without a file descriptor");
  }
  int taken = -1;
  std::memcpy(&taken, CMSG_DATA(header), sizeof(taken));
  return UniqueFd(taken);
}

Helper::Helper(const std::string& name, const Body& body) : name_(name) {
  std::array<int, 2> pair;
  must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()), "socketpair");
  UniqueFd mine(pair[0]);
  UniqueFd theirs(pair[1]);
  pid_ = must(::fork(), "fork");
  if (pid_ == 0) {
    mine.reset();
    run_helper(name, body, Channel(std::move(theirs)));
  }
  channel_ = Channel(std::move(mine));
}

Helper::Helper(Helper&& other) noexcept
    : name_(std::move(other.name_)), pid_(other.pid_),
      is_running_(std::exchange(other.is_running_, false)), channel_(std::move(other.channel_)) {}

Helper::~Helper() {
  if (is_running_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Helper::kill() {
  ::kill(pid_, SIGKILL);
  await_exit();
}

void Helper::await_exit() {
  wait_for(cat("the exit of ", name_), [&] { return ::waitpid(pid_, nullptr, WNOHANG) == pid_; });
  is_running_ = false;
}

void set_process_name(const std::string& name) { ::prctl(PR_SET_NAME, name.c_str()); }

std::string process_name() {
  std::array<char, 17> name{};
  ::prctl(PR_GET_NAME, name.data());
  return name.data();
}

} // namespace acceptwatch::scenarios
