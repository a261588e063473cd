// SPDX-License-Identifier: Apache-2.0
#include "model/explain.h"

#include "events/names.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

/// Drops that end in tcp_listendrop(); of answers none does.
bool is_in_listen_drops(aw_reason reason, aw_stage stage) {
  constexpr std::array counted{AW_ACCEPT_QUEUE_FULL, AW_SYN_QUEUE_FULL, AW_SYN_BACKLOG_RESERVED,
                               AW_REQUEST_FAILED,    AW_NO_ROUTE,       AW_MEMORY,
                               AW_SECURITY_MODULE};
  return stage != AW_STAGE_SYNACK && std::ranges::find(counted, reason) != counted.end();
}

/// What the kernel counts as well and no record is due for.
std::string_view also_counted(KernelCounter counter) {
  switch (counter) {
  case KernelCounter::syncookies_recv: // cookie_v4_check()
    return "valid cookies that became connections are counted, too";
  case KernelCounter::syn_retrans:
    return "SYNs that this host sent again are counted, too";
  case KernelCounter::defer_accept_drop: // tcp_check_req()
    return "no loss: the listener waits for data (TCP_DEFER_ACCEPT), and the request stays";
  case KernelCounter::fast_open_listen_overflow: // tcp_fastopen_queue_check()
    return "no loss: the SYN is answered as one without Fast Open";
  case KernelCounter::migrate_req_success:
    return "no loss: moved to another listener of the SO_REUSEPORT group";
  case KernelCounter::migrate_req_failure: // reuseport_migrate_sock(), tcp_check_req()
    return "handshakes under way are counted when their timer finds the listener closed, too: see "
           "listener_closed; and those that moved and found the next queue full";
  case KernelCounter::out_rsts:
    return "resets of other connections are counted, too";
  default:
    return {};
  }
}

/// A blind spot without a reason or a stage is blind to all of them.
bool hides(const BlindSpot& spot, KernelCounter counter) {
  if (!spot.field.empty())
    return false;
  aw_counter_key key{};
  key.action = static_cast<__u8>(spot.action);
  for (__u8 reason = 0; reason < AW_NR_REASONS; ++reason) {
    for (__u8 stage = 0; stage < AW_NR_STAGES; ++stage) {
      key.reason = reason;
      key.stage = stage;
      if ((spot.reason == AW_REASON_NONE || spot.reason == reason) &&
          (spot.stage == AW_STAGE_NONE || spot.stage == stage) && is_counted_by(counter, key))
        return true;
    }
  }
  return false;
}

/// "listen_drop/cookie_invalid, reset_received"
std::string hidden(KernelCounter counter, std::span<const BlindSpot> blind) {
  std::string list;
  aw_action last = AW_ACTION_NONE;
  for (const BlindSpot& spot : blind) {
    if (!hides(spot, counter))
      continue;
    list += list.empty() ? "" : ", ";
    // The action once: "listen_drop/no_route, memory".
    if (spot.action != last)
      list += name_of(spot.action);
    if (spot.reason != AW_REASON_NONE)
      list += fmt::format("{}{}", spot.action != last ? "/" : "", name_of(spot.reason));
    last = spot.action;
  }
  return list;
}

} // namespace

bool is_counted_by(KernelCounter counter, const aw_counter_key& key) {
  const auto action = static_cast<aw_action>(key.action);
  const auto reason = static_cast<aw_reason>(key.reason);
  switch (counter) {
  case KernelCounter::listen_overflows:
    return action == AW_LISTEN_DROP && reason == AW_ACCEPT_QUEUE_FULL;
  case KernelCounter::listen_drops:
    return action == AW_LISTEN_DROP && is_in_listen_drops(reason, static_cast<aw_stage>(key.stage));
  case KernelCounter::req_queue_full_drop:
    return action == AW_LISTEN_DROP && reason == AW_SYN_QUEUE_FULL;
  case KernelCounter::req_queue_full_do_cookies: // the decision: tcp_syn_flood_action()
    return action == AW_SYNCOOKIE_SENT || key.extra_mib & AW_MIB_REQQFULLDOCOOKIES;
  case KernelCounter::syncookies_sent: // the cookie: cookie_init_sequence()
    return action == AW_SYNCOOKIE_SENT;
  case KernelCounter::syncookies_recv:
    return action == AW_LISTEN_DROP && key.stage == AW_STAGE_COOKIE && reason != AW_COOKIE_INVALID;
  case KernelCounter::syncookies_failed:
    return action == AW_LISTEN_DROP && reason == AW_COOKIE_INVALID;
  case KernelCounter::syn_retrans:
    return action == AW_SYNACK_RETRANSMIT;
  case KernelCounter::embryonic_rsts: // tcp_check_req()
    return (action == AW_RESET_SENT && reason == AW_ABORT_ON_OVERFLOW) ||
           (action == AW_RESET_RECEIVED && reason == AW_IN_HANDSHAKE) ||
           key.extra_mib & AW_MIB_EMBRYONICRSTS;
  case KernelCounter::migrate_req_failure: // inet_csk_listen_stop()
    return key.extra_mib & AW_MIB_MIGRATEREQFAILURE;
  case KernelCounter::out_rsts:
    // netfilter sends its own, and counts none.
    return action == AW_RESET_SENT && reason != AW_FIREWALL;
  case KernelCounter::defer_accept_drop:
  case KernelCounter::fast_open_listen_overflow:
  case KernelCounter::migrate_req_success:
    return false; // also_counted() says why
  }
  return false;
}

std::map<uint32_t, CounterValues> explain(std::span<const Counter> counters) {
  std::map<uint32_t, CounterValues> explained;
  for (const Counter& counter : counters) {
    const aw_counter_key& key = counter.key;
    if (key.netns == 0)
      continue;
    for (size_t i = 0; i < nr_kernel_counters; ++i) {
      if (is_counted_by(static_cast<KernelCounter>(i), key))
        explained[key.netns][i] += counter.count;
    }
  }
  return explained;
}

std::string why_more(KernelCounter counter, const Doubts& doubts) {
  std::string why{also_counted(counter)};
  const auto add = [&why](std::string_view cause) {
    why += fmt::format("{}{}", why.empty() ? "" : "; ", cause);
  };
  if (const auto list = hidden(counter, doubts.blind); !list.empty())
    add(fmt::format("not seen: {}", list));
  if (doubts.uncounted)
    add(fmt::format("{} occurrences found no room in the counter map", doubts.uncounted));
  if (doubts.skipped)
    add(fmt::format("the kernel skipped a program {} times", doubts.skipped));
  return why;
}

} // namespace acceptwatch
