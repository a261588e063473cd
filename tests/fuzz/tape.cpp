// SPDX-License-Identifier: Apache-2.0
// A tape that is played: it is played to its end, or is told to be none, or damaged.
#include "target.h"

#include "model/event_sink.h"
#include "model/tape.h"

#include <cstdlib>

using namespace acceptwatch;

namespace {

class Nobody final : public EventSink {
public:
  void take(const Event&) override {}
  void take(const Lost&) override {}
  void sampled(const Sample&) override {}
  void audited(const Audit&) override {}
};

aw_event a_record(aw_action action, uint64_t listener, uint64_t at_ns) {
  aw_event event{};
  event.header.size = sizeof(event);
  event.header.kind = AW_RECORD_EVENT;
  event.header.boot_ns = at_ns;
  event.action = static_cast<__u8>(action);
  event.listener.id = listener;
  event.listener.port = 80;
  event.flags = AW_HAS_ACCEPT_QUEUE | AW_HAS_SYN_QUEUE;
  return event;
}

} // namespace

std::vector<std::string> seeds() {
  std::string bytes;
  TapeHead head;
  head.scope.tier = AW_SOURCE_FENTRY;
  head.reasons.drop[5] = "TCP_LISTEN_OVERFLOW";
  TapeWriter writer{head, false, [&](std::string_view more) { bytes += more; }};
  Instant now{1'000'000'000, 1, 0};
  writer.begin(now);
  for (const aw_action action : {AW_LISTENER_OPENED, AW_LISTEN_DROP, AW_LISTENER_CLOSED}) {
    now.boot_ns += 1'000'000'000;
    writer.apply(a_record(action, 7, now.boot_ns), 1, now);
    writer.tick(now);
  }
  writer.stop(now);
  writer.finish(now);
  return {bytes};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Nobody nobody;
  const auto played = play_tape(
      {reinterpret_cast<const char*>(data), size}, nobody, [](const Start&) {},
      [](const Snapshot&) {});
  if (!played && played.error().what.empty())
    std::abort();
  return 0;
}
