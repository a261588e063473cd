// SPDX-License-Identifier: Apache-2.0
#include "account/explain.h"

#include "events/names.h"

#include <algorithm>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

constexpr std::array<KernelCounterName, nr_kernel_counters> names{{
    {"TcpExt", "ListenOverflows"},
    {"TcpExt", "ListenDrops"},
    {"TcpExt", "TCPReqQFullDrop"},
    {"TcpExt", "TCPReqQFullDoCookies"},
    {"TcpExt", "SyncookiesSent"},
    {"TcpExt", "SyncookiesFailed"},
    {"TcpExt", "TCPSynRetrans"},
    {"TcpExt", "EmbryonicRsts"},
    {"Tcp", "OutRsts"},
}};

/// Drops that do not end in tcp_listendrop().
bool is_beside_listen_drops(aw_reason reason) {
  return reason == AW_COOKIE_INVALID || reason == AW_FIREWALL || reason == AW_SOCKET_FILTER ||
         reason == AW_AUTHENTICATION || reason == AW_OTHER;
}

/// What the kernel counts as well and no record is due for.
std::string_view also_counted(KernelCounter counter) {
  switch (counter) {
  case KernelCounter::req_queue_full_do_cookies:
    return "counted, too, where the accept queue is full and no cookie is sent";
  case KernelCounter::syn_retrans:
    return "SYNs that this host sent again are counted, too";
  case KernelCounter::out_rsts:
    return "resets of other connections are counted, too";
  default:
    return {};
  }
}

/// A blind spot without a reason is blind to all of them.
bool hides(const BlindSpot& spot, KernelCounter counter) {
  if (!spot.field.empty())
    return false;
  if (spot.reason != AW_REASON_NONE)
    return is_counted_by(counter, spot.action, spot.reason);
  for (unsigned reason = 0; reason < AW_NR_REASONS; ++reason) {
    if (is_counted_by(counter, spot.action, static_cast<aw_reason>(reason)))
      return true;
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

KernelCounterName name_of(KernelCounter counter) { return names[static_cast<size_t>(counter)]; }

bool is_counted_by(KernelCounter counter, aw_action action, aw_reason reason) {
  switch (counter) {
  case KernelCounter::listen_overflows:
    return action == AW_LISTEN_DROP && reason == AW_ACCEPT_QUEUE_FULL;
  case KernelCounter::listen_drops:
    return action == AW_LISTEN_DROP && reason != AW_REASON_NONE && !is_beside_listen_drops(reason);
  case KernelCounter::req_queue_full_drop:
    return action == AW_LISTEN_DROP && reason == AW_SYN_QUEUE_FULL;
  case KernelCounter::req_queue_full_do_cookies: // the decision: tcp_syn_flood_action()
  case KernelCounter::syncookies_sent:           // the cookie: cookie_init_sequence()
    return action == AW_SYNCOOKIE_SENT;
  case KernelCounter::syncookies_failed:
    return action == AW_LISTEN_DROP && reason == AW_COOKIE_INVALID;
  case KernelCounter::syn_retrans:
    return action == AW_SYNACK_RETRANSMIT;
  case KernelCounter::embryonic_rsts: // tcp_check_req()
    return (action == AW_RESET_SENT && reason == AW_ABORT_ON_OVERFLOW) ||
           (action == AW_RESET_RECEIVED && reason == AW_IN_HANDSHAKE);
  case KernelCounter::out_rsts:
    // netfilter sends its own, and counts none.
    return action == AW_RESET_SENT && reason != AW_FIREWALL;
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
      if (is_counted_by(static_cast<KernelCounter>(i), static_cast<aw_action>(key.action),
                        static_cast<aw_reason>(key.reason)))
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
