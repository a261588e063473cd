// SPDX-License-Identifier: Apache-2.0
#include "diagnose/causes.h"

#include "events/names.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

/// Events that show a cause. No reason or stage: any.
struct EventKind {
  aw_action action = AW_ACTION_NONE;
  aw_reason reason = AW_REASON_NONE;
  aw_stage stage = AW_STAGE_NONE;
};

using Kinds = std::array<EventKind, 6>;

/// How a cause is seen, and how it is told that it was not.
struct Cause {
  std::string_view name{};
  std::string_view title{}; ///< as people say it
  Kinds shown_by{};         ///< any of these asserts it
  Kinds must_see{};         ///< where one of these cannot be seen, it is not ruled out
  /// What the kernel counts of these: where a program cannot see them, a counter that has not moved
  /// rules them out.
  std::array<std::optional<KernelCounter>, 2> counters{};
  std::array<std::string_view, 8> findings{}; ///< names that diagnose/rules.cpp gives it
  std::string_view excluded{};                ///< why it would have been seen
  std::string_view unseen{};                  ///< where no program looks at it
  /// It eats ACKs and SYN-ACKs as well, which shows in SYN-ACKs that are sent again.
  bool eats_answers = false;
  /// Evidence counters count each of its packets.
  bool is_counted_in_all = false;
  /// Only connections that come through speak against it.
  bool needs_arrivals = false;
  /// It shows itself where this one does: where that could not be seen, neither could it.
  std::string_view shows_with{};
  /// Of connections that came through: it is no loss of a listener, and watched if asked for.
  bool after_accept = false;
  /// Where this field of its events is not known, some of them may pass unseen.
  std::string_view must_know{};
};

using K = KernelCounter;
constexpr EventKind full{AW_LISTEN_DROP, AW_ACCEPT_QUEUE_FULL};
constexpr EventKind syn_full{AW_LISTEN_DROP, AW_SYN_QUEUE_FULL};
constexpr EventKind reserved{AW_LISTEN_DROP, AW_SYN_BACKLOG_RESERVED};
constexpr EventKind cookie{AW_SYNCOOKIE_SENT, AW_SYN_QUEUE_FULL};
constexpr EventKind failed{AW_LISTEN_DROP, AW_REQUEST_FAILED};
constexpr EventKind memory{AW_LISTEN_DROP, AW_MEMORY};
constexpr EventKind module{AW_LISTEN_DROP, AW_SECURITY_MODULE};
constexpr EventKind no_route{AW_LISTEN_DROP, AW_NO_ROUTE};
constexpr EventKind refused{AW_RESET_SENT, AW_NO_LISTENER};
constexpr EventKind stalled{AW_ACCEPT_STALLED};
constexpr EventKind bad_cookie{AW_LISTEN_DROP, AW_COOKIE_INVALID};
constexpr EventKind old_reset{AW_RESET_SENT, AW_OTHER, AW_STAGE_SYN};
constexpr EventKind neighbour{AW_LISTEN_DROP, AW_NEIGHBOUR};
constexpr EventKind queue_unread{AW_LISTEN_DROP, AW_NETFILTER_QUEUE};
constexpr EventKind silent{AW_SYNACK_RETRANSMIT, AW_NO_ACK};
constexpr std::string_view counted_none = "the kernel counted none";
constexpr std::string_view no_counter = "no counter of it can be read here";

constexpr std::array causes{
    Cause{.name = "closed_port",
          .title = "closed port",
          .shown_by = {refused},
          .must_see = {refused},
          .findings = {"crash_loop", "owner_died", "listener_shut_down", "restart_gap",
                       "service_stopped", "closed_by_owner", "reopened_by_owner", "closed_port"},
          .excluded = "nobody was refused"},
    Cause{.name = "acceptor",
          .title = "a server that does not accept",
          .shown_by = {stalled},
          .must_see = {stalled, EventKind{AW_LISTENER_OPENED}},
          .findings = {"descriptors_exhausted", "host_files_exhausted", "inherited_listener",
                       "stuck_acceptor", "slow_acceptor", "reuseport_imbalance"},
          .excluded = "no connection waited long for accept()",
          .shows_with = "accept_queue"},
    Cause{.name = "accept_queue",
          .title = "accept queue full",
          .shown_by = {full, EventKind{AW_RESET_SENT, AW_ABORT_ON_OVERFLOW}},
          .must_see = {full},
          .counters = {K::listen_overflows},
          .findings = {"burst_larger_than_backlog", "limit_capped_by_somaxconn",
                       "backlog_too_small", "abort_on_overflow"},
          .excluded = "no packet found it full"},
    Cause{.name = "syn_queue",
          .title = "SYN queue full",
          .shown_by = {syn_full, reserved, cookie},
          .must_see = {syn_full, reserved, cookie},
          .counters = {K::req_queue_full_drop, K::req_queue_full_do_cookies},
          .findings = {"syn_flood", "cookies_hide_full_syn_queue", "syn_queue_full"},
          .excluded = "no SYN found it full"},
    Cause{.name = "request_refused",
          .title = "no request made (no memory, no route back, a security module)",
          .shown_by = {failed, memory, module, no_route},
          .must_see = {failed, memory, module, no_route},
          .counters = {K::listen_drops},
          .findings = {"security_module", "no_route", "memory"},
          .excluded = "the kernel refused no SYN"},
    Cause{.name = "cookie_invalid",
          .title = "an ACK without a valid cookie",
          .shown_by = {bad_cookie},
          .must_see = {bad_cookie},
          .counters = {K::syncookies_failed},
          .findings = {"cookie_invalid"},
          .excluded = "no cookie failed"},
    Cause{.name = "firewall",
          .title = "a firewall of this host",
          .shown_by = {EventKind{AW_LISTEN_DROP, AW_FIREWALL},
                       EventKind{AW_RESET_SENT, AW_FIREWALL}, queue_unread},
          .must_see = {EventKind{AW_LISTEN_DROP, AW_FIREWALL, AW_STAGE_SYN}, queue_unread},
          .findings = {"firewall", "netfilter_queue"},
          .excluded = "it dropped no packet of a handshake",
          .eats_answers = true},
    Cause{.name = "socket_filter",
          .title = "a filter of the socket or its cgroup",
          .shown_by = {EventKind{AW_LISTEN_DROP, AW_SOCKET_FILTER},
                       EventKind{AW_LISTEN_DROP, AW_CGROUP_PROGRAM}},
          .must_see = {EventKind{AW_LISTEN_DROP, AW_SOCKET_FILTER, AW_STAGE_SYN}},
          .findings = {"socket_filter", "cgroup_program"},
          .excluded = "it dropped no packet of a handshake",
          .eats_answers = true},
    Cause{.name = "authentication",
          .title = "MD5 or TCP-AO signatures",
          .shown_by = {EventKind{AW_LISTEN_DROP, AW_AUTHENTICATION}},
          .must_see = {EventKind{AW_LISTEN_DROP, AW_AUTHENTICATION, AW_STAGE_SYN}},
          .findings = {"authentication"},
          .excluded = "none was missing or wrong",
          .is_counted_in_all = true},
    Cause{.name = "way_in",
          .title = "refused on the way in (reverse path, checksum, address)",
          .shown_by = {EventKind{AW_LISTEN_DROP, AW_OTHER},
                       EventKind{AW_LISTEN_DROP, AW_REVERSE_PATH},
                       EventKind{AW_LISTEN_DROP, AW_NOT_LOCAL},
                       EventKind{AW_LISTEN_DROP, AW_ROUTE_LOCALNET},
                       EventKind{AW_LISTEN_DROP, AW_CHECKSUM}},
          .must_see = {EventKind{AW_LISTEN_DROP, AW_OTHER, AW_STAGE_SYN},
                       EventKind{AW_LISTEN_DROP, AW_REVERSE_PATH, AW_STAGE_SYN},
                       EventKind{AW_LISTEN_DROP, AW_NOT_LOCAL, AW_STAGE_SYN},
                       EventKind{AW_LISTEN_DROP, AW_CHECKSUM, AW_STAGE_SYN}},
          .findings = {"refused_on_the_way", "reverse_path", "not_local", "route_localnet",
                       "checksum"},
          .unseen = "no connection came through meanwhile, and not every such refusal is counted",
          .needs_arrivals = true},
    Cause{.name = "conntrack",
          .title = "a full table of tracked connections",
          .findings = {"conntrack_full"},
          .excluded = counted_none,
          .unseen = no_counter},
    Cause{.name = "old_connection",
          .title = "an old connection of the same ports",
          .shown_by = {old_reset, EventKind{AW_LISTEN_DROP, AW_OLD_CONNECTION}},
          .findings = {"old_connection"},
          .excluded = "no SYN met one",
          .unseen = no_counter,
          .is_counted_in_all = true},
    Cause{.name = "timestamps",
          .title = "timestamps or sequence numbers that were rewritten",
          .shown_by = {EventKind{AW_LISTEN_DROP, AW_TIMESTAMPS},
                       EventKind{AW_LISTEN_DROP, AW_WINDOW}},
          .findings = {"timestamps", "window"},
          .excluded = counted_none,
          .unseen = no_counter},
    Cause{.name = "host_limits",
          .title = "limits of the host (TCP memory, a CPU's backlog)",
          .shown_by = {EventKind{AW_LISTEN_DROP, AW_CPU_BACKLOG}},
          .findings = {"cpu_backlog"},
          .excluded = counted_none,
          .unseen = no_counter},
    Cause{.name = "closed_listener",
          .title = "a listener that was closed while clients waited",
          .shown_by = {EventKind{AW_RESET_SENT, AW_CLOSED_LISTENER}},
          .must_see = {EventKind{AW_RESET_SENT, AW_CLOSED_LISTENER}},
          .findings = {"closed_with_queue"},
          .excluded = "no client was reset for it"},
    Cause{.name = "neighbour",
          .title = "no neighbour that takes a packet or its answer",
          .shown_by = {neighbour},
          .must_see = {neighbour},
          .findings = {"neighbour"},
          .excluded = "nothing was given up for that"},
    Cause{.name = "lost_on_the_way",
          .title = "packets lost on the way",
          .shown_by = {silent},
          .must_see = {silent},
          .findings = {"handshakes_lost"},
          .excluded = "no SYN-ACK had to be sent again for a silent client"},
    Cause{.name = "before_tcp",
          .title = "dropped before TCP sees it (traffic control, XDP)",
          .shown_by = {EventKind{AW_LISTEN_DROP, AW_TRAFFIC_CONTROL},
                       EventKind{AW_LISTEN_DROP, AW_XDP}},
          .must_see = {EventKind{AW_LISTEN_DROP, AW_TRAFFIC_CONTROL, AW_STAGE_SYN},
                       EventKind{AW_LISTEN_DROP, AW_XDP, AW_STAGE_SYN}},
          .findings = {"traffic_control", "xdp"},
          .unseen = "no connection came through meanwhile, and what an XDP program of a device's "
                    "driver drops shows nowhere",
          .needs_arrivals = true},
    // The last one: where it is not watched, nothing is said of it.
    Cause{.name = "after_accept",
          .title = "a server that closes connections at once",
          .shown_by = {EventKind{AW_CLOSED_AFTER_ACCEPT, AW_UNREAD},
                       EventKind{AW_CLOSED_AFTER_ACCEPT, AW_RESET},
                       EventKind{AW_CLOSED_AFTER_ACCEPT, AW_UNSERVED},
                       EventKind{AW_CLOSED_AFTER_ACCEPT, AW_PROCESS_FAILED}},
          .must_see = {EventKind{AW_CLOSED_AFTER_ACCEPT}},
          .findings = {"closed_after_accept"},
          .excluded = "none was closed unserved within a second of accept()",
          .after_accept = true,
          .must_know = "acceptwatch.early_close.seconds"},
};

bool matches(const EventKind& kind, aw_action action, aw_reason reason, aw_stage stage) {
  return kind.action != AW_ACTION_NONE && kind.action == action &&
         (kind.reason == AW_REASON_NONE || kind.reason == reason) &&
         (kind.stage == AW_STAGE_NONE || kind.stage == stage);
}

uint64_t count_of(const EventKind& kind, const SeenEvents& seen) {
  uint64_t count = 0;
  for (const auto& [key, number] : seen) {
    if (std::apply([&](auto... part) { return matches(kind, part...); }, key))
      count += number;
  }
  return count;
}

/// In part is enough: what may pass unseen was not ruled out.
bool hides(const BlindSpot& spot, const EventKind& kind) {
  return spot.field.empty() && kind.action != AW_ACTION_NONE && spot.action == kind.action &&
         (spot.reason == AW_REASON_NONE || kind.reason == AW_REASON_NONE ||
          spot.reason == kind.reason) &&
         (spot.stage == AW_STAGE_NONE || kind.stage == AW_STAGE_NONE || spot.stage == kind.stage);
}

const BlindSpot* blind_spot_of(const Cause& cause, std::span<const BlindSpot> blind) {
  for (const EventKind& kind : cause.must_see) {
    const auto spot =
        std::ranges::find_if(blind, [&](const BlindSpot& one) { return hides(one, kind); });
    if (spot != blind.end())
      return &*spot;
  }
  const auto spot = std::ranges::find_if(blind, [&](const BlindSpot& one) {
    return !cause.must_know.empty() && one.field == cause.must_know;
  });
  return spot == blind.end() ? nullptr : &*spot;
}

/// What the counters of a cause say beyond what was seen.
struct CounterWord {
  bool excludes = false; ///< all of them agree with what was seen
  uint64_t beyond = 0;   ///< so many more were counted
};

CounterWord word_of_counters(const Cause& cause, const CauseFacts& facts) {
  CounterWord word;
  bool any = false;
  bool all = true;
  for (const auto& counter : cause.counters) {
    if (!counter)
      continue;
    const auto& beyond = facts.unexplained[static_cast<size_t>(*counter)];
    any = true;
    all = all && beyond == 0U;
    word.beyond += beyond.value_or(0);
  }
  word.excludes = any && all;
  return word;
}

/// Counters that are evidence of this cause.
struct EvidenceOfCause {
  uint64_t grown = 0;
  bool any_known = false;
};

EvidenceOfCause evidence_of(const Cause& cause, const EvidenceValues& growth) {
  EvidenceOfCause found;
  for (size_t i = 0; i < nr_evidence_counters; ++i) {
    if (meaning_of(static_cast<EvidenceCounter>(i)).cause != cause.name)
      continue;
    found.any_known |= growth[i].has_value();
    found.grown += growth[i].value_or(0);
  }
  return found;
}

/// How many of those that a counter counts were seen, and told.
uint64_t told_of(EvidenceCounter counter, const SeenEvents& seen) {
  constexpr EventKind unsent{AW_LISTEN_DROP, AW_REASON_NONE, AW_STAGE_SYNACK};
  if (counter == EvidenceCounter::unsent_retransmits)
    return count_of(unsent, seen);
  const auto* cause = std::ranges::find(causes, meaning_of(counter).cause, &Cause::name);
  uint64_t told = 0;
  for (size_t i = 0; cause != causes.end() && i < cause->shown_by.size(); ++i) {
    if (cause->shown_by[i].action == AW_LISTEN_DROP)
      told += count_of(cause->shown_by[i], seen);
  }
  return told;
}

bool has_events(const Cause& cause) { return cause.must_see[0].action != AW_ACTION_NONE; }

bool was_seen(const Cause& cause, const CauseFacts& facts) {
  const auto seen = [&](const EventKind& kind) { return count_of(kind, facts.seen) != 0; };
  const auto found = [&](std::string_view finding) {
    return !finding.empty() && std::ranges::find(facts.findings, finding) != facts.findings.end();
  };
  return std::ranges::any_of(cause.shown_by, seen) || std::ranges::any_of(cause.findings, found);
}

CauseJudgement could_not_be_seen(const Cause& cause, std::string_view why) {
  return {cause.name, CauseState::unseen, fmt::format("{}: {}", cause.title, why)};
}

std::string queue_text(std::string_view title, const std::optional<Queue>& queue, uint32_t peak) {
  if (!queue)
    return {};
  return peak > queue->limit
             ? fmt::format("{}: it held {} of {}, and no packet found it so", title, peak,
                           queue->limit)
             : fmt::format("{}: at most {} of {} were in it", title, peak, queue->limit);
}

std::string excluded_text(const Cause& cause, const CauseFacts& facts) {
  std::string text;
  if (cause.name == "accept_queue")
    text = queue_text(cause.title, facts.accept_queue, facts.accept_peak);
  else if (cause.name == "syn_queue")
    text = queue_text(cause.title, facts.syn_queue, facts.syn_peak);
  else if (cause.name == "closed_port" && facts.listening)
    text = fmt::format("{}: somebody listens, and {}", cause.title, cause.excluded);
  else if (cause.needs_arrivals)
    text = fmt::format("{}: no packet was, and {} handshake{} came through", cause.title,
                       *facts.arrived, *facts.arrived == 1 ? "" : "s");
  return text.empty() ? fmt::format("{}: {}", cause.title, cause.excluded) : text;
}

bool is_hidden(const EventKind& kind, std::span<const BlindSpot> blind) {
  return std::ranges::any_of(blind, [&](const BlindSpot& spot) { return hides(spot, kind); });
}

/// Whatever eats a SYN-ACK or an ACK on this host lets the SYN-ACK be sent again.
bool handshakes_end_well(const CauseFacts& facts) {
  return !is_hidden({AW_SYNACK_RETRANSMIT}, facts.blind) && count_of(silent, facts.seen) == 0;
}

/// Whether the ACKs and SYN-ACKs that it eats would have been seen.
bool its_answers_are_seen(const Cause& cause, const CauseFacts& facts) {
  return std::ranges::none_of(cause.shown_by, [&](const EventKind& kind) {
    return kind.action == AW_LISTEN_DROP &&
           (is_hidden({kind.action, kind.reason, AW_STAGE_ACK}, facts.blind) ||
            is_hidden({kind.action, kind.reason, AW_STAGE_SYNACK}, facts.blind));
  });
}

/// Whether a counter of this cause can be read; where the kernel has none, it does not do what
/// would be counted, as long as others can be read.
bool is_counted(const Cause& cause, const EvidenceValues& growth) {
  const bool any = std::ranges::any_of(growth, [](const auto& one) { return one.has_value(); });
  return evidence_of(cause, growth).any_known || (any && cause.name == "conntrack");
}

/// No listener was closed, and that would have been seen: then nobody was reset for it.
bool closed_no_listener(const Cause& cause, const CauseFacts& facts) {
  constexpr EventKind closed{AW_LISTENER_CLOSED};
  return cause.name == "closed_listener" && count_of(closed, facts.seen) == 0 &&
         !is_hidden(closed, facts.blind);
}

/// Counters that have not moved say as much as a program that was there, where there are no others.
bool told_by_evidence(const Cause& cause, const EvidenceOfCause& evidence) {
  return evidence.any_known && cause.is_counted_in_all;
}

/// What no program sees of this cause, and no counter that has not moved rules out.
const BlindSpot* open_spot_of(const Cause& cause, const CauseFacts& facts) {
  if (closed_no_listener(cause, facts) || word_of_counters(cause, facts).excludes ||
      told_by_evidence(cause, evidence_of(cause, facts.evidence)))
    return nullptr;
  return blind_spot_of(cause, facts.blind);
}

CauseJudgement judge(const Cause& cause, const CauseFacts& facts) {
  if (was_seen(cause, facts))
    return {cause.name, CauseState::holds, std::string{cause.title}};
  const auto evidence = evidence_of(cause, facts.evidence);
  if (evidence.grown)
    return could_not_be_seen(
        cause,
        fmt::format("the kernel counted {}, and nobody saw whose they were", evidence.grown));
  if (cause.needs_arrivals && !facts.arrived.value_or(0))
    return could_not_be_seen(cause, facts.arrived ? cause.unseen
                                                  : "whether connections come through is not seen");
  const CounterWord counters = word_of_counters(cause, facts);
  if (counters.beyond)
    return could_not_be_seen(
        cause, fmt::format("the kernel counted {} more than were seen", counters.beyond));
  if (const BlindSpot* spot = open_spot_of(cause, facts))
    return could_not_be_seen(cause, spot->why);
  if (cause.eats_answers && !facts.arrived.value_or(0))
    return could_not_be_seen(cause, "no handshake was seen to come to its end");
  if (cause.eats_answers && !its_answers_are_seen(cause, facts) && !handshakes_end_well(facts))
    return could_not_be_seen(cause,
                             "an ACK or a SYN-ACK that it drops is not seen here, and not every "
                             "handshake was seen to come to its end");
  if (facts.lost_records && has_events(cause) && !counters.excludes)
    return could_not_be_seen(cause,
                             fmt::format("{} records were lost, and what they were of is not known",
                                         facts.lost_records));
  if (!has_events(cause) && !cause.needs_arrivals && !is_counted(cause, facts.evidence))
    return could_not_be_seen(cause, cause.unseen);
  return {cause.name, CauseState::excluded, excluded_text(cause, facts)};
}

} // namespace

std::vector<CauseJudgement> judge_causes(const CauseFacts& facts) {
  std::vector<CauseJudgement> judgements;
  judgements.reserve(std::size(causes));
  for (const Cause& cause : causes) {
    if (facts.after_accept || !cause.after_accept)
      judgements.push_back(judge(cause, facts));
  }
  for (size_t i = 0; i < judgements.size(); ++i) {
    const auto with = std::ranges::find(judgements, causes[i].shows_with, &CauseJudgement::cause);
    if (judgements[i].state == CauseState::excluded && with != judgements.end() &&
        with->state == CauseState::unseen)
      judgements[i] = could_not_be_seen(causes[i], "who waits is looked at when a packet is lost, "
                                                   "and that could not be seen");
  }
  return judgements;
}

std::vector<EvidenceSeen> evidence_seen(const EvidenceValues& growth, const SeenEvents& seen) {
  std::vector<EvidenceSeen> beyond;
  for (size_t i = 0; i < nr_evidence_counters; ++i) {
    const auto counter = static_cast<EvidenceCounter>(i);
    const auto& meaning = meaning_of(counter);
    if (growth[i].value_or(0) > told_of(counter, seen))
      beyond.push_back({name_of(counter).name, *growth[i], meaning.what, meaning.advice});
  }
  return beyond;
}

bool all_losses_are_seen(const CauseFacts& facts) {
  const auto others_are_counted = [&](const Cause& cause) {
    if (!cause.is_counted_in_all)
      return false;
    for (size_t i = 0; i < nr_evidence_counters; ++i) {
      const auto counter = static_cast<EvidenceCounter>(i);
      if (meaning_of(counter).cause == cause.name &&
          facts.evidence[i].value_or(0) > told_of(counter, facts.seen))
        return true;
    }
    return false;
  };
  return facts.lost_records == 0 && std::ranges::none_of(causes, [&](const Cause& cause) {
           return !cause.after_accept &&
                  (open_spot_of(cause, facts) || word_of_counters(cause, facts).beyond ||
                   others_are_counted(cause));
         });
}

Outcome outcome_of(const CauseFacts& facts, std::span<const CauseJudgement> judgements) {
  constexpr EventKind dropped{AW_LISTEN_DROP};
  // One client among many may be silent by itself.
  const bool one_holds = std::ranges::any_of(judgements, [](const CauseJudgement& one) {
    return one.state == CauseState::holds && one.cause != "lost_on_the_way";
  });
  if (one_holds || !facts.findings.empty() || count_of(dropped, facts.seen))
    return Outcome::found;
  const bool unseen = std::ranges::any_of(
      judgements, [](const CauseJudgement& one) { return one.state == CauseState::unseen; });
  // A cause that holds for one client may have had others, which nobody saw.
  return unseen || !all_losses_are_seen(facts) ? Outcome::unknown : Outcome::well;
}

std::string_view cause_of_finding(std::string_view finding) {
  for (const Cause& cause : causes) {
    if (std::ranges::find(cause.findings, finding) != cause.findings.end())
      return cause.name;
  }
  return {};
}

} // namespace acceptwatch
