// SPDX-License-Identifier: Apache-2.0
#include "commands/outputs.h"

#include "commands/diagnostics.h"
#include "output/explain.h"
#include "output/ndjson.h"
#include "output/text.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

/// Until it takes more, or for a moment. What fails is ready all the time, and a file cannot be
/// waited for.
void wait_for(const Outlet& outlet) {
  constexpr int pause_ms = 20;
  pollfd ready{outlet.error() ? -1 : outlet.waitable_fd(), POLLOUT, 0};
  poll(&ready, 1, pause_ms);
}

/// NO_COLOR: https://no-color.org
bool use_colour(const Options& options, const Outlet& outlet) {
  if (options.colour != Colour::automatic)
    return options.colour == Colour::always;
  const char* no_colour = std::getenv("NO_COLOR");
  return outlet.is_terminal() && (!no_colour || !*no_colour);
}

/// Where an output goes ("-": standard output), and what makes its format.
struct Wanted {
  std::string path;
  std::unique_ptr<Formatter> (*make)(const Options& options, const Outlet& outlet);
};

/// A format that no option changes.
template <typename Format>
std::unique_ptr<Formatter> make(const Options& /*options*/, const Outlet& /*outlet*/) {
  return std::make_unique<Format>();
}

std::unique_ptr<Formatter> make_text(const Options& options, const Outlet& outlet) {
  return std::make_unique<TextFormatter>(TextStyle{options.wide, use_colour(options, outlet)});
}

std::unique_ptr<Formatter> make_chosen(const Options& options, const Outlet& outlet) {
  if (options.explained)
    return std::make_unique<ExplainFormatter>(*options.explained,
                                              options.format == OutputFormat::ndjson);
  if (options.format == OutputFormat::ndjson)
    return make<NdjsonFormatter>(options, outlet);
  return make_text(options, outlet);
}

/// All outputs of a run. CONTRIBUTING.md shows how one is added.
std::vector<Wanted> wanted_by(const Options& options) {
  const bool to_file = !options.output.empty() && options.output != "-";
  std::vector<Wanted> wanted{{to_file ? options.output : "-", make_chosen}};
  if (to_file && isatty(STDOUT_FILENO))
    wanted.push_back({"-", make_text});
  return wanted;
}

} // namespace

Result<std::unique_ptr<Outputs>> Outputs::open(const Options& options) {
  auto outputs = std::make_unique<Outputs>();
  for (const Wanted& wanted : wanted_by(options)) {
    auto outlet = Outlet::open(wanted.path);
    if (!outlet)
      return tl::unexpected{outlet.error()};
    auto formatter = wanted.make(options, *outlet);
    outputs->outputs_.push_back(std::make_unique<Output>(std::move(formatter), std::move(*outlet)));
  }
  outputs->errors_.resize(outputs->outputs_.size());
  return outputs;
}

void Outputs::take(const Start& start) {
  for (const auto& output : outputs_)
    output->take(start);
}

void Outputs::take(const Event& event) {
  for (const auto& output : outputs_)
    output->take(event);
}

void Outputs::take(const Lost& lost) {
  for (const auto& output : outputs_)
    output->take(lost);
}

void Outputs::sampled(const Sample& sample) {
  for (const auto& output : outputs_)
    output->take(sample);
}

void Outputs::audited(const Audit& audit) {
  for (const auto& output : outputs_)
    output->take(audit);
}

void Outputs::take(const Snapshot& summary) {
  for (const auto& output : outputs_)
    output->take(summary);
}

Result<void> Outputs::wait_in(EventLoop& loop) {
  loop_ = &loop;
  for (const auto& output : outputs_) {
    const int fd = output->outlet().waitable_fd();
    if (fd < 0)
      continue;
    auto added = loop.add(fd, 0, [this, one = output.get()](uint32_t events) {
      if (events & (EPOLLERR | EPOLLHUP)) {
        one->note_closed_pipe();
        loop_->stop();
      }
      flush();
    });
    if (!added)
      return added;
  }
  return {};
}

void Outputs::note_error(size_t index) {
  const Outlet& outlet = outputs_[index]->outlet();
  if (outlet.error() == errors_[index])
    return;
  errors_[index] = outlet.error();
  print_note(errors_[index]
                 ? fmt::format("cannot write to {}: {}. The watch goes on; what finds no room is "
                               "counted, and told once there is room again.",
                               outlet.name(), describe_errno(errors_[index]))
                 : fmt::format("{} takes records again.", outlet.name()));
}

void Outputs::flush() {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const bool done = outputs_[i]->flush();
    const Outlet& outlet = outputs_[i]->outlet();
    note_error(i);
    if (!loop_)
      continue;
    if (outlet.is_closed_pipe())
      loop_->stop();
    if (outlet.waitable_fd() >= 0)
      loop_->change(outlet.waitable_fd(), done ? 0 : static_cast<uint32_t>(EPOLLOUT));
  }
}

Result<void> Outputs::flush_for(double seconds) {
  using Time = std::chrono::steady_clock;
  const auto end = Time::now() + std::chrono::duration<double>(seconds);
  Result<void> all;
  for (const auto& output : outputs_) {
    const Outlet& outlet = output->outlet();
    while (!output->flush() && !outlet.is_closed_pipe() && Time::now() < end)
      wait_for(outlet);
    if (outlet.is_empty() || outlet.is_closed_pipe())
      continue;
    print_note(
        fmt::format("{} did not take the last records, the summary among them.", outlet.name()));
    if (outlet.error())
      all = system_failure(fmt::format("cannot write to {}", outlet.name()), outlet.error());
  }
  return all;
}

Result<void> Outputs::write_all() {
  for (const auto& output : outputs_) {
    const Outlet& outlet = output->outlet();
    while (!output->flush() && !outlet.is_closed_pipe()) {
      if (outlet.error())
        return system_failure(fmt::format("cannot write to {}", outlet.name()), outlet.error());
      wait_for(outlet);
    }
  }
  return {};
}

size_t Outputs::pending() const {
  size_t most = 0;
  for (const auto& output : outputs_)
    most = std::max(most, output->outlet().pending());
  return most;
}

std::vector<const Outlet*> Outputs::files() const {
  std::vector<const Outlet*> files;
  for (const auto& output : outputs_) {
    if (!output->outlet().is_standard_output())
      files.push_back(&output->outlet());
  }
  return files;
}

void Outputs::reopen(Timestamp now) {
  for (const auto& output : outputs_) {
    // wait_in() enters it anew, with another descriptor perhaps.
    if (loop_ && output->outlet().waitable_fd() >= 0)
      loop_->remove(output->outlet().waitable_fd());
    // The old file still takes records: better there than nowhere.
    if (auto reopened = output->reopen(now); !reopened)
      print_error(reopened.error());
  }
  if (loop_) {
    if (auto waits = wait_in(*loop_); !waits)
      print_error(waits.error());
  }
  flush(); // the loop does not know yet what waits
}

} // namespace acceptwatch
