// SPDX-License-Identifier: Apache-2.0
#include "commands/recorder.h"

namespace acceptwatch {

Recorder::Recorder(TapeHead head, std::optional<TapeFile> tape, bool leaves_out_names,
                   const Probes& probes, EventSink& sink)
    : file_(std::move(tape)) {
  if (file_)
    tape_ = std::make_unique<TapeWriter>(head, leaves_out_names,
                                         [this](std::string_view bytes) { file_->write(bytes); });
  const Host& host = tape_ ? tape_->listen_to(*probes.host) : *probes.host;
  KernelControl& control = tape_ ? tape_->listen_to(*probes.control) : *probes.control;
  monitor_ =
      std::make_unique<Monitor>(std::move(head.scope), head.reasons.names(), host, control, sink);
}

Result<void> Recorder::begin(const std::function<Result<Instant>()>& activate) {
  return monitor_->begin([&] {
    auto activated = activate();
    if (tape_)
      tape_->begin(activated);
    return activated;
  });
}

void Recorder::apply(const Record& record, uint64_t count, const Instant& now) {
  if (tape_)
    tape_->apply(record, count, now);
  monitor_->apply(record, count, now);
}

void Recorder::tick(const Instant& now) {
  if (tape_)
    tape_->tick(now);
  monitor_->tick(now);
}

void Recorder::audit(const Instant& now) {
  if (tape_)
    tape_->audit(now);
  monitor_->audit(now);
}

void Recorder::stop(const std::function<void()>& deactivate, const Instant& now) {
  if (tape_)
    tape_->stop(now);
  monitor_->stop(deactivate, now);
}

Result<void> Recorder::finish(const Instant& now) {
  if (tape_)
    tape_->finish(now);
  monitor_->finish(now);
  return file_ ? file_->close() : Result<void>{};
}

} // namespace acceptwatch
