// SPDX-License-Identifier: Apache-2.0
#include "core/player.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

#include "core/error.h"
#include "core/helper.h"

namespace acceptwatch::scenarios {

namespace {

constexpr std::chrono::seconds longest_scenario{120};
const std::string ready_message = "ready";
const std::string sync_mark = "so far ";

void send_line(int fd, const std::string& line) {
  const std::string text = line + "\n";
  size_t sent = 0;
  while (sent < text.size()) {
    sent += static_cast<size_t>(
        must(::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL), "reporting"));
  }
}

// The parent says one byte to begin and one to end; when it is gone, so is this process.
void await_byte(int fd) {
  char byte = 0;
  if (::recv(fd, &byte, 1, 0) != 1) {
    ::_exit(1);
  }
}

// The stage is still there when the scenario is over: were its namespaces gone, others would get
// their inode numbers, and acceptwatch would tell of those.
Report play(const Scenario& scenario, Conductor conductor, std::optional<Stage>& stage) {
  Report report;
  try {
    stage.emplace(std::move(conductor));
    scenario.play(*stage);
    return stage->finish();
  } catch (const Skip& skip) {
    report.outcome = Outcome::skipped;
    report.why = skip.what();
  } catch (const std::exception& failure) {
    report.outcome = Outcome::failed;
    report.why = failure.what();
  }
  return report;
}

Conductor conductor_at(int fd, std::chrono::milliseconds pause) {
  return {.await_go =
              [fd] {
                send_line(fd, ready_message);
                await_byte(fd);
              },
          .await_records =
              [fd](const Report& so_far) {
                send_line(fd, sync_mark + to_json(so_far));
                await_byte(fd);
              },
          .pause = pause};
}

[[noreturn]] void run_player(const Scenario& scenario, size_t number, int fd,
                             std::chrono::milliseconds pause) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Unlike any other, so that a record which names the wrong process is caught.
  set_process_name(cat("s", number, "-", scenario.name).substr(0, 15));
  std::optional<Stage> stage;
  send_line(fd, to_json(play(scenario, conductor_at(fd, pause), stage)));
  await_byte(fd);
  ::_exit(0);
}

} // namespace

Player::Player(const Scenario& scenario, size_t number, const std::vector<int>& siblings,
               std::chrono::milliseconds pause)
    : name_(scenario.name) {
  std::array<int, 2> pair;
  must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), "socketpair");
  UniqueFd theirs(pair[1]);
  socket_ = UniqueFd(pair[0]);
  pid_ = must(::fork(), "fork");
  if (pid_ == 0) {
    socket_.reset();
    for (const int sibling : siblings) {
      ::close(sibling);
    }
    run_player(scenario, number, theirs.get(), pause);
  }
}

std::string Player::netns_path() const { return cat("/proc/", pid_, "/ns/net"); }

void Player::fail(const std::string& why) {
  report_ = Report{};
  report_.outcome = Outcome::failed;
  report_.why = why;
  state_ = State::reported;
}

void Player::take_messages() {
  std::array<char, 65536> chunk;
  const ssize_t size = ::recv(fd(), chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) {
    return;
  }
  if (size <= 0) {
    if (state_ != State::reported) {
      fail("the scenario's process died");
    }
    socket_.reset();
    return;
  }
  buffer_.append(chunk.data(), static_cast<size_t>(size));
  for (size_t end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n')) {
    const std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    if (line == ready_message) {
      state_ = State::waiting;
    } else if (line.rfind(sync_mark, 0) == 0) {
      so_far_ = report_from_json(line.substr(sync_mark.size()));
      sync_since_ = Clock::now();
    } else {
      report_ = report_from_json(line);
      state_ = State::reported;
    }
  }
}

void Player::let_go() {
  ::send(fd(), "g", 1, MSG_NOSIGNAL);
  state_ = State::playing;
  since_ = Clock::now();
}

void Player::go_on() {
  so_far_.reset();
  ::send(fd(), "s", 1, MSG_NOSIGNAL);
}

void Player::check_time() {
  const bool is_busy = state_ == State::setting_up || state_ == State::playing;
  if (is_busy && Clock::now() - since_ > longest_scenario) {
    ::kill(pid_, SIGKILL);
    fail(cat("not over after ", longest_scenario.count(), " s"));
  }
}

void Player::release() {
  if (pid_ < 0) {
    return;
  }
  if (fd() >= 0) {
    ::send(fd(), "r", 1, MSG_NOSIGNAL);
  }
  // A process that never came to its end reads that byte as its turn to begin: it is not asked
  // twice.
  if (report_.worlds.empty()) {
    ::kill(pid_, SIGKILL);
  }
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

} // namespace acceptwatch::scenarios
