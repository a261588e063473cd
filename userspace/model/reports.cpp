// SPDX-License-Identifier: Apache-2.0
#include "model/reports.h"

#include <algorithm>
#include <tuple>

namespace acceptwatch {
namespace {

/// What a listener lost: packets dropped, resets sent, handshakes given up.
struct LostPackets {
  uint64_t all = 0;
  uint64_t queue_full = 0; ///< of these, for a full accept queue
};

std::unordered_map<uint64_t, LostPackets> lost_by_listener(std::span<const Counter> counters) {
  std::unordered_map<uint64_t, LostPackets> lost;
  for (const auto& [key, count, summed_up] : counters) {
    // What fits no handshake is mostly the late packet of a connection that is over.
    const bool reset = key.action == AW_RESET_SENT && key.reason != AW_HANDSHAKE_INVALID &&
                       key.reason != AW_WHEN_ACCEPTED;
    if (key.action == AW_LISTEN_DROP || reset || key.action == AW_HANDSHAKE_EXPIRED)
      lost[key.listener].all += count;
    if (key.action == AW_LISTEN_DROP && key.reason == AW_ACCEPT_QUEUE_FULL)
      lost[key.listener].queue_full += count;
  }
  return lost;
}

void add_waits(const Waits& waits, ListenerReport& report) {
  report.accepted = waits.accepted;
  report.waits = percentiles(waits.queued, waits.max_us);
  if (report.waits)
    report.waits->max = static_cast<double>(waits.max_us) / 1e6;
  report.handshake = percentiles(waits.handshake, 0);
  report.histogram.assign(waits.queued.begin(), waits.queued.end());
}

ListenerReport report_of(const Listener& listener) {
  ListenerReport report;
  report.address = listener.address;
  report.port = listener.port;
  report.netns = listener.netns;
  if (const Holder* owner = owner_of(listener))
    report.owner = to_owner(*owner);
  report.accept_queue = listener.accept_queue;
  report.accept_peak = listener.accept_peak;
  report.accept_peak_limit = listener.accept_peak_limit;
  report.syn_peak = listener.syn_peak;
  return report;
}

} // namespace

std::vector<ListenerReport> report_listeners(const Scope& scope, const ListenerTable& table,
                                             std::span<const Counter> counters,
                                             const WaitsByListener& waits, const Flows& flows,
                                             const Incidents& incidents) {
  const auto lost = lost_by_listener(counters);
  std::vector<ListenerReport> reports;
  table.for_each([&](const Listener& listener) {
    const auto times = waits.find(listener.id);
    const auto losses = lost.find(listener.id);
    const auto oldest = incidents.oldest_seconds(listener.id);
    const bool accepted = times != waits.end() && times->second.accepted;
    const bool has_lost = losses != lost.end() && losses->second.all;
    if ((!has_lost && !accepted && !oldest) || !scope.wants_listener(listener))
      return;
    ListenerReport& report = reports.emplace_back(report_of(listener));
    const LostPackets packets = losses == lost.end() ? LostPackets{} : losses->second;
    report.lost = packets.all;
    report.oldest_seconds = oldest;
    report.derived = !scope.sees_accept;
    if (times != waits.end())
      add_waits(times->second, report);
    report.flow = flows.of(listener, report.accepted, packets.queue_full);
  });
  const auto slowness = [](const ListenerReport& one) {
    return one.waits ? one.waits->p99 : one.oldest_seconds.value_or(0);
  };
  std::ranges::sort(reports, [&](const ListenerReport& a, const ListenerReport& b) {
    return std::tuple{b.lost, slowness(b), a.port, a.netns, a.address.bytes} <
           std::tuple{a.lost, slowness(a), b.port, b.netns, b.address.bytes};
  });
  return reports;
}

} // namespace acceptwatch
