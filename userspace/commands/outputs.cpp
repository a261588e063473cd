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

/// NO_COLOR: https://no-color.org
bool use_colour(const Options& options, const Outlet& outlet) {
  if (options.colour != Colour::automatic)
    return options.colour == Colour::always;
  const char* no_colour = std::getenv("NO_COLOR");
  return outlet.is_terminal() && (!no_colour || !*no_colour);
}

std::unique_ptr<Formatter> make_text(const Options& options, const Outlet& outlet) {
  return std::make_unique<TextFormatter>(TextStyle{options.wide, use_colour(options, outlet)});
}

std::unique_ptr<Formatter> make_formatter(const Options& options, const Outlet& outlet) {
  if (options.explained)
    return std::make_unique<ExplainFormatter>(*options.explained,
                                              options.format == OutputFormat::ndjson);
  if (options.format == OutputFormat::ndjson)
    return std::make_unique<NdjsonFormatter>();
  return make_text(options, outlet);
}

} // namespace

Result<std::unique_ptr<Outputs>> Outputs::open(const Options& options) {
  auto outputs = std::make_unique<Outputs>();
  const bool to_file = !options.output.empty() && options.output != "-";
  auto main = Outlet::open(to_file ? options.output : "-");
  if (!main)
    return tl::unexpected{main.error()};
  auto formatter = make_formatter(options, *main);
  outputs->outputs_.push_back(std::make_unique<Output>(std::move(formatter), std::move(*main)));
  if (to_file && isatty(STDOUT_FILENO)) {
    auto terminal = Outlet::open("-");
    if (!terminal)
      return tl::unexpected{terminal.error()};
    auto text = make_text(options, *terminal);
    outputs->outputs_.push_back(std::make_unique<Output>(std::move(text), std::move(*terminal)));
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

void Outputs::flush_for(double seconds) {
  using Time = std::chrono::steady_clock;
  const auto end = Time::now() + std::chrono::duration<double>(seconds);
  for (const auto& output : outputs_) {
    while (!output->flush() && !output->outlet().is_closed_pipe() && Time::now() < end) {
      constexpr int pause_ms = 20;
      pollfd ready{output->outlet().waitable_fd(), POLLOUT, 0};
      poll(&ready, 1, pause_ms);
    }
    if (!output->outlet().is_empty() && !output->outlet().is_closed_pipe())
      print_note(fmt::format("{} did not take the last records, the summary among them.",
                             output->outlet().name()));
  }
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
}

} // namespace acceptwatch
