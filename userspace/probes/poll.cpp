// SPDX-License-Identifier: Apache-2.0
#include "probes/poll.h"

#include "base/file.h"
#include "host/clock.h"
#include "host/netstat.h"
#include "host/proc_host.h"
#include "host/sock_diag.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <unordered_map>

namespace acceptwatch {
namespace {

constexpr time_t interval_seconds = 1;

/// A counter of the kernel, and the record that is made when it has grown.
struct Watched {
  const char* counter;
  aw_action action;
  aw_reason reason;
};

constexpr std::array watched{
    Watched{"TcpExt:ListenOverflows", AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL},
    Watched{"TcpExt:TCPReqQFullDrop", AW_LISTEN_DROP, AW_SYN_QUEUE_FULL},
    Watched{"TcpExt:SyncookiesSent", AW_SYNCOOKIE_SENT, AW_SYN_QUEUE_FULL},
};

/// Cookies may be sent to every client, and no queue was full then (tcp_syncookies=2).
aw_reason reason_of(const Watched& what) {
  const bool always =
      what.action == AW_SYNCOOKIE_SENT && read_line("/proc/sys/net/ipv4/tcp_syncookies") == "2";
  return always ? AW_ALWAYS : what.reason;
}

using Listeners = std::unordered_map<uint64_t, PolledListener>;

/// What is read once a second.
struct Reading {
  Listeners listeners;
  NetCounters counters;
};

class Poll final : public RecordSource, public KernelControl, public ProcHost {
public:
  Result<void> open();

  Result<void> activate() override;
  void deactivate() override {}
  int fd() const override { return timer_.get(); }
  Result<bool> drain(const RecordHandler& handler) override;
  std::vector<Counter> counters() const override { return totals_; }
  Losses losses() const override {
    Losses losses;
    losses.lookups = left_out();
    return losses;
  }

private:
  Result<void> poll(const RecordHandler& handler);
  void compare_listeners(const Listeners& now, const RecordHandler& handler);
  const PolledListener* only_suspect(const Listeners& now, const Watched& what) const;
  void report(const PolledListener* polled, aw_action action, aw_reason reason, uint64_t count,
              const RecordHandler& handler);
  void count_occurrences(const aw_event& event, uint64_t count);

  UniqueFd timer_;
  uint32_t netns_ = 0;
  Reading last_;
  std::vector<Counter> totals_;
};

Result<Listeners> listeners_now() {
  auto polled = poll_listeners();
  if (!polled)
    return tl::unexpected{polled.error()};
  Listeners listeners;
  for (const auto& listener : *polled)
    listeners.emplace(listener.listener.id, listener);
  return listeners;
}

Result<NetCounters> counters_now() {
  const auto text = read_file("/proc/net/netstat");
  if (!text)
    return system_failure("cannot read /proc/net/netstat", errno);
  return parse_net_counters(*text);
}

Result<Reading> read_now() {
  auto listeners = listeners_now();
  if (!listeners)
    return tl::unexpected{listeners.error()};
  auto counters = counters_now();
  if (!counters)
    return tl::unexpected{counters.error()};
  return Reading{std::move(*listeners), std::move(*counters)};
}

Result<void> Poll::open() {
  timer_ = UniqueFd{timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)};
  itimerspec period{};
  period.it_interval.tv_sec = period.it_value.tv_sec = interval_seconds;
  if (!timer_ || timerfd_settime(timer_.get(), 0, &period, nullptr) < 0)
    return system_failure("cannot make a timer", errno);
  struct stat self {};
  if (stat("/proc/self/ns/net", &self) == 0)
    netns_ = static_cast<uint32_t>(self.st_ino);
  return {};
}

Result<void> Poll::activate() {
  auto now = read_now();
  if (!now)
    return tl::unexpected{now.error()};
  last_ = std::move(*now);
  return {};
}

Result<bool> Poll::drain(const RecordHandler& handler) {
  uint64_t expirations = 0;
  if (read(timer_.get(), &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
    return system_failure("cannot read the timer", errno);
  return poll(handler).map([] { return false; });
}

Result<void> Poll::poll(const RecordHandler& handler) {
  auto now = read_now();
  if (!now)
    return tl::unexpected{now.error()};
  compare_listeners(now->listeners, handler);
  for (const auto& what : watched) {
    const uint64_t grown = counter_of(now->counters, what.counter).value_or(0) -
                           counter_of(last_.counters, what.counter).value_or(0);
    if (grown)
      report(only_suspect(now->listeners, what), what.action, reason_of(what), grown, handler);
  }
  last_ = std::move(*now);
  return {};
}

void Poll::compare_listeners(const Listeners& now, const RecordHandler& handler) {
  for (const auto& [id, polled] : now) {
    if (!last_.listeners.contains(id))
      report(&polled, AW_LISTENER_OPENED, AW_REASON_NONE, 1, handler);
  }
  for (const auto& [id, polled] : last_.listeners) {
    if (!now.contains(id))
      report(&polled, AW_LISTENER_CLOSED, AW_REASON_NONE, 1, handler);
  }
}

/// The listener that dropped something since the last look. Null if several did, or none is known.
const PolledListener* Poll::only_suspect(const Listeners& now, const Watched& what) const {
  const PolledListener* suspect = nullptr;
  for (const auto& [id, polled] : now) {
    const auto before = last_.listeners.find(id);
    const uint32_t drops_before = before == last_.listeners.end() ? 0 : before->second.drops;
    if (polled.drops == drops_before)
      continue;
    if (what.reason == AW_ACCEPT_QUEUE_FULL && now.size() > 1 &&
        polled.listener.accept_depth < polled.listener.accept_limit)
      continue;
    if (suspect)
      return nullptr;
    suspect = &polled;
  }
  return suspect;
}

void Poll::report(const PolledListener* polled, aw_action action, aw_reason reason, uint64_t count,
                  const RecordHandler& handler) {
  aw_event event{};
  event.header.size = sizeof(event);
  event.header.kind = AW_RECORD_EVENT;
  event.header.source = AW_SOURCE_POLL;
  event.header.boot_ns = Clock::boot_now();
  event.action = static_cast<__u8>(action);
  event.reason = static_cast<__u8>(reason);
  if (polled) {
    event.listener = polled->listener;
    event.flags = AW_HAS_LISTENER;
    if (polled->has_limit)
      event.flags |= AW_HAS_ACCEPT_QUEUE;
  }
  event.listener.netns = netns_;
  count_occurrences(event, count);
  handler(Record{event}, count);
}

void Poll::count_occurrences(const aw_event& event, uint64_t count) {
  const aw_counter_key key{event.listener.id, netns_, event.action, event.reason, event.stage, 0};
  const auto same = std::find_if(totals_.begin(), totals_.end(), [&](const Counter& counter) {
    return std::memcmp(&counter.key, &key, sizeof(key)) == 0;
  });
  if (same == totals_.end())
    totals_.push_back({key, count});
  else
    same->count += count;
}

} // namespace

Result<Probes> open_poll() {
  auto poll = std::make_shared<Poll>();
  if (auto opened = poll->open(); !opened)
    return tl::unexpected{opened.error()};
  return faces_of(poll);
}

} // namespace acceptwatch
