// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diagnose/rules.h"
#include "diagnose/state_advice.h"
#include "events/endpoint.h"

#include <algorithm>
#include <fmt/format.h>

namespace acceptwatch {

// What rules are written with: inside diagnose/ only.

/// The facts as rules ask about them.
struct RuleContext {
  const Facts& facts;
  const Thresholds& limits;

  [[nodiscard]] bool goes_on(const Seen& seen) const {
    return seen.count && facts.now_ns < seen.last_ns + limits.hold_ns;
  }
  [[nodiscard]] const Seen& dropped(aw_reason reason) const { return facts.dropped[reason]; }

  /// The accept queue was full.
  [[nodiscard]] bool overflows() const { return goes_on(facts.overflow) || goes_on(facts.aborted); }
  [[nodiscard]] uint64_t overflow_count() const {
    return facts.overflow.count + facts.aborted.count;
  }
  [[nodiscard]] uint64_t overflow_begin() const {
    if (!facts.overflow.count || !facts.aborted.count)
      return facts.overflow.count ? facts.overflow.first_ns : facts.aborted.first_ns;
    return std::min(facts.overflow.first_ns, facts.aborted.first_ns);
  }
  /// The SYN queue was full.
  [[nodiscard]] bool syn_queue_fills() const {
    return goes_on(facts.syn_drops) || goes_on(facts.cookies);
  }
  [[nodiscard]] uint64_t syn_queue_count() const {
    return facts.syn_drops.count + facts.cookies.count;
  }

  /// Only processes of another program hold it, which inherited it, and nobody accepts.
  [[nodiscard]] bool is_left_behind() const {
    const OwnerState* state = facts.states.last();
    return is_stuck() && facts.lost_opener && facts.owner &&
           facts.owner->pid != facts.lost_opener->pid &&
           facts.owner->name != facts.lost_opener->name &&
           (!state || state->threads.listener != Awaited::yes);
  }
  /// Its process has died again and again, and was started again each time.
  [[nodiscard]] bool is_crash_loop() const { return facts.deaths.size() >= limits.deaths; }

  /// And somebody waits. A host without files cannot be looked at, either: there it is seen
  /// by what the queue has no room for.
  [[nodiscard]] bool is_short_of_files() const {
    return facts.shortage &&
           (facts.waiting_seconds > 0 || (facts.shortage->of_host && overflows()));
  }
  /// Some wait, and nothing was accepted for long. Once accepting was seen to go on, a
  /// pause has to be longer to be more than slowness, unless all has come to a standstill.
  [[nodiscard]] bool is_stuck() const {
    constexpr double slow_server_pauses = 5;
    const bool may_be_slow = facts.heads > 1 && !stands_still(facts);
    return facts.waiting_seconds > 0 &&
           facts.idle_seconds >= limits.stall_seconds * (may_be_slow ? slow_server_pauses : 1);
  }
  [[nodiscard]] bool is_slow() const {
    return !is_stuck() && facts.heads > 1 && facts.oldest_seconds >= limits.slow_seconds;
  }
  /// More came at once than the queue holds, and it was worked off at once. Not said
  /// before that was seen: what begins like a burst may be a server that hangs.
  [[nodiscard]] bool is_burst() const {
    return overflows() && facts.oldest_seconds < limits.slow_seconds &&
           facts.drained_ns > overflow_begin();
  }
  /// Most handshakes come to their end: then a client that is silent is silent by itself.
  [[nodiscard]] bool most_arrive() const {
    constexpr uint64_t silent_share = 10;
    return facts.silent_handshakes * silent_share <= facts.arrived.value_or(0);
  }
  /// What a flood leaves behind: requests of senders that never answer live for a minute.
  [[nodiscard]] bool was_flooded() const {
    constexpr uint64_t aftermath_ns = 130'000'000'000; // tcp_synack_retries=5, TIMEOUT_INIT
    return facts.flooded_ns && facts.now_ns < facts.flooded_ns + aftermath_ns;
  }
  [[nodiscard]] std::optional<uint32_t> limit() const {
    return facts.accept_queue ? std::optional{facts.accept_queue->limit} : std::nullopt;
  }
};

inline std::string plural(uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

inline std::string connections(uint64_t count) {
  return plural(count, "connection", "connections");
}
/// "1 connection waits"
inline std::string waiting(uint64_t count) {
  return plural(count, "connection waits", "connections wait");
}
inline std::string packets(uint64_t count) { return plural(count, "packet", "packets"); }

/// Answers and last packets of handshakes that this host refused itself: a client that seems to be
/// silent may not be.
inline bool eats_answers(const RuleContext& c) {
  return std::ranges::any_of(c.facts.refusals, [&](const auto& one) {
    const auto& [reason, refused] = one;
    return c.goes_on(c.dropped(reason)) &&
           refused.packets[AW_STAGE_SYNACK] + refused.packets[AW_STAGE_ACK];
  });
}

/// "10.9.0.1:8080, which is translated to 10.88.0.5:80"
inline std::string text_of(const Translation& translation) {
  const auto end = [](const std::optional<Address>& address, uint16_t port) {
    return address ? endpoint_text(*address, port) : fmt::format("port {}", port);
  };
  return fmt::format("{}, which is translated to {}", end(translation.address, translation.port),
                     end(translation.own.address, translation.own.port));
}

inline void add_queue(const Facts& facts, Finding& finding) {
  if (!facts.accept_queue)
    return;
  finding.evidence.push_back({"depth", static_cast<double>(facts.accept_queue->depth)});
  finding.evidence.push_back({"peak", static_cast<double>(facts.accept_peak)});
  finding.evidence.push_back({"limit", static_cast<double>(facts.accept_queue->limit)});
}

inline void add_number(Finding& finding, std::string_view name, uint64_t value) {
  finding.evidence.push_back({name, static_cast<double>(value)});
}

/// Each says what it found, or nothing. docs/findings.md has a section on each.
using MaybeFinding = std::optional<Finding>;

namespace rule {

// The server, and the backlog that it asked for: rules_accept.cpp.
MaybeFinding descriptors_exhausted(const RuleContext& c);
MaybeFinding host_files_exhausted(const RuleContext& c);
MaybeFinding inherited_listener(const RuleContext& c);
MaybeFinding stuck_acceptor(const RuleContext& c);
MaybeFinding slow_acceptor(const RuleContext& c);
MaybeFinding burst_larger_than_backlog(const RuleContext& c);
MaybeFinding limit_capped_by_somaxconn(const RuleContext& c);
MaybeFinding backlog_too_small(const RuleContext& c);
MaybeFinding reuseport_imbalance(const RuleContext& c);
MaybeFinding abort_on_overflow(const RuleContext& c);

// Connections that came through, and were not served: rules_after_accept.cpp.
MaybeFinding closed_after_accept(const RuleContext& c);

// Handshakes that do not come to their end: rules_handshake.cpp.
MaybeFinding syn_flood(const RuleContext& c);
MaybeFinding cookies_hide_full_syn_queue(const RuleContext& c);
MaybeFinding syn_queue_full(const RuleContext& c);
MaybeFinding handshakes_lost(const RuleContext& c);
MaybeFinding conntrack_full(const RuleContext& c);
MaybeFinding firewall(const RuleContext& c);

// Nobody listens any more: rules_gap.cpp.
MaybeFinding restart_gap(const RuleContext& c);
MaybeFinding service_stopped(const RuleContext& c);
MaybeFinding owner_died(const RuleContext& c);
MaybeFinding crash_loop(const RuleContext& c);
MaybeFinding listener_shut_down(const RuleContext& c);
MaybeFinding closed_by_owner(const RuleContext& c);
MaybeFinding reopened_by_owner(const RuleContext& c);
/// A sentence on what to do about a process that died.
std::string advice_for_death(const ListenerEnd& end);

// A port, and what is in front of it: rules_place.cpp.
MaybeFinding closed_port(const RuleContext& c);
MaybeFinding closed_with_queue(const RuleContext& c);

// Packets that something else than a queue refused: refusals.cpp.
std::vector<Finding> refusals(const RuleContext& c);
std::vector<std::string_view> refusal_names();

} // namespace rule

} // namespace acceptwatch
