// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "core/unique_fd.h"

namespace acceptwatch::scenarios {

// One end of a conversation between two processes of a scenario: whole messages, and file
// descriptors.
class Channel {
public:
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}

  void say(const std::string& message) const;
  // The next message; throws Failure when the other end failed (with its words), is gone or says
  // nothing.
  std::string hear() const;
  void hear(const std::string& expected) const;
  // Until there is one, or the other end is gone, however long that takes.
  void await_word() const;
  void pass_fd(int fd) const;
  UniqueFd take_fd() const;

  int fd() const { return socket_.get(); }
  void close() { socket_.reset(); }

private:
  UniqueFd socket_;
};

// Another process of the same scenario, under a name of its own. It runs `body` and exits. However
// the scenario ends, none is left over: each has an alarm clock, and sees the end of its channel.
class Helper {
public:
  using Body = std::function<void(const Channel&)>;

  Helper(const std::string& name, const Body& body);
  Helper(Helper&& other) noexcept;
  Helper& operator=(Helper&&) = delete;
  ~Helper();

  const Channel& channel() const { return channel_; }
  // Stays what it was when the process is gone.
  pid_t pid() const { return pid_; }
  const std::string& name() const { return name_; }

  void kill();
  void await_exit();

private:
  std::string name_;
  pid_t pid_ = -1;
  bool is_running_ = true;
  Channel channel_{UniqueFd()};
};

// What /proc/self/comm is to say.
void set_process_name(const std::string& name);
std::string process_name();

} // namespace acceptwatch::scenarios
