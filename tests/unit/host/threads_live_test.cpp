// SPDX-License-Identifier: Apache-2.0
// Real threads of this test's own children: what the running kernel says of them.
#include "host/threads.h"

#include "base/file.h"
#include "events/owner_state.h"

#include <csignal>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// A process that does one thing until it is killed.
class Child {
public:
  explicit Child(const std::function<void()>& act) : pid_(fork()) {
    if (pid_ != 0)
      return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    act();
    _exit(0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] uint32_t pid() const { return static_cast<uint32_t>(pid_); }

  /// Looks until that many threads do so; what was seen last.
  [[nodiscard]] ThreadStates await(Activity activity, size_t threads = 1) const {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds{20};
    ThreadStates states;
    do {
      states = look_at_threads(ProcFs{}, {{pid()}});
      if (states.count(activity) == threads)
        break;
      sched_yield();
    } while (Clock::now() < end);
    OwnerState told;
    told.threads = states;
    EXPECT_EQ(states.count(activity), threads)
        << name_of(activity) << " expected; " << sentence_of(told) << ", in "
        << (states.waits.empty() ? "no function" : states.waits[0].function);
    return states;
  }

private:
  pid_t pid_;
};

UniqueFd listener() {
  UniqueFd fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(fd.get(), 1), 0);
  return fd;
}

void sleep_on() {
  const timespec hour{3600, 0};
  nanosleep(&hour, nullptr);
}

TEST(LiveThreads, OneThatAccepts) {
  const UniqueFd fd = listener();
  const Child child{[&] { accept(fd.get(), nullptr, nullptr); }};
  const auto states = child.await(Activity::accept);
  EXPECT_EQ(states.total, 1U);
  EXPECT_EQ(states.seen, 1U);
}

TEST(LiveThreads, OneThatPolls) {
  const UniqueFd fd = listener();
  const Child child{[&] {
    pollfd event{fd.get(), POLLIN, 0};
    poll(&event, 1, -1);
  }};
  static_cast<void>(child.await(Activity::poll));
}

TEST(LiveThreads, OneThatSleeps) {
  const Child child{sleep_on};
  static_cast<void>(child.await(Activity::sleep));
}

TEST(LiveThreads, OneThatWaitsForTheOtherToEnd) {
  const Child child{[] { std::thread{sleep_on}.join(); }};
  static_cast<void>(child.await(Activity::sleep));
  const auto states = child.await(Activity::futex);
  EXPECT_EQ(states.total, 2U);
  EXPECT_EQ(states.count(Activity::sleep), 1U);
}

TEST(LiveThreads, OneThatIsBusy) {
  const Child child{[] {
    for (volatile unsigned turns = 0;;)
      turns = turns + 1;
  }};
  static_cast<void>(child.await(Activity::running));
}

TEST(LiveThreads, OneThatReadsFromASocketOrAPipe) {
  int sockets[2];
  int pipes[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  ASSERT_EQ(pipe2(pipes, O_CLOEXEC), 0);
  const UniqueFd keep[] = {UniqueFd{sockets[0]}, UniqueFd{sockets[1]}, UniqueFd{pipes[0]},
                           UniqueFd{pipes[1]}};
  const auto reads = [](int fd) {
    return [fd] {
      char byte = 0;
      static_cast<void>(!read(fd, &byte, 1));
    };
  };
  const Child of_socket{reads(sockets[0])};
  const Child of_pipe{reads(pipes[0])};
  static_cast<void>(of_socket.await(Activity::socket_read));
  static_cast<void>(of_pipe.await(Activity::io));
}

TEST(LiveThreads, OneThatIsStopped) {
  const UniqueFd fd = listener();
  const Child child{[&] { accept(fd.get(), nullptr, nullptr); }};
  static_cast<void>(child.await(Activity::accept));
  ASSERT_EQ(kill(static_cast<pid_t>(child.pid()), SIGSTOP), 0);
  ASSERT_EQ(waitpid(static_cast<pid_t>(child.pid()), nullptr, WUNTRACED),
            static_cast<pid_t>(child.pid()));
  static_cast<void>(child.await(Activity::stopped));
}

TEST(LiveThreads, OneThatHasExited) {
  const Child child{[] {}};
  static_cast<void>(child.await(Activity::zombie));
}

} // namespace
} // namespace acceptwatch
