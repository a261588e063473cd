// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rules.h"

#include "diagnose/servers.h"
#include "events/owner_state.h"

#include <algorithm>
#include <fmt/format.h>

namespace acceptwatch {
namespace {

using Verdictless = std::optional<Finding>;
using std::nullopt;

struct Case {
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

  [[nodiscard]] bool out_of_descriptors() const {
    return facts.descriptors && facts.descriptors->open >= facts.descriptors->limit;
  }
  /// Some wait, and nothing was accepted for long. Once accepting was seen to go on, a
  /// pause has to be longer to be more than slowness.
  [[nodiscard]] bool is_stuck() const {
    constexpr double slow_server_pauses = 5;
    return facts.waiting_seconds > 0 &&
           facts.idle_seconds >= limits.stall_seconds * (facts.heads > 1 ? slow_server_pauses : 1);
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
  [[nodiscard]] std::optional<uint32_t> limit() const {
    return facts.accept_queue ? std::optional{facts.accept_queue->limit} : nullopt;
  }
};

std::string plural(uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string connections(uint64_t count) { return plural(count, "connection", "connections"); }
std::string packets(uint64_t count) { return plural(count, "packet", "packets"); }

std::string queue_of(const Facts& facts) {
  if (!facts.accept_queue)
    return "the accept queue";
  return fmt::format("the accept queue of {}", facts.accept_queue->limit);
}

void add_queue(const Facts& facts, Finding& finding) {
  if (!facts.accept_queue)
    return;
  finding.evidence.push_back({"depth", static_cast<double>(facts.accept_queue->depth)});
  finding.evidence.push_back({"peak", static_cast<double>(facts.accept_peak)});
  finding.evidence.push_back({"limit", static_cast<double>(facts.accept_queue->limit)});
}

void add_number(Finding& finding, std::string_view name, uint64_t value) {
  finding.evidence.push_back({name, static_cast<double>(value)});
}

Verdictless descriptors_exhausted(const Case& c) {
  if (!c.out_of_descriptors() || !(c.facts.waiting_seconds > 0))
    return nullopt;
  const auto& [open, limit] = *c.facts.descriptors;
  Finding finding{"descriptors_exhausted", Confidence::certain, {}, {}, {}};
  finding.what =
      fmt::format("accept() fails: {} of {} file descriptors are open, {} wait", open, limit,
                  connections(c.facts.accept_queue ? c.facts.accept_queue->depth : 0));
  finding.evidence = {{"open", static_cast<double>(open)},
                      {"descriptor_limit", static_cast<double>(limit)},
                      {"oldest_seconds", c.facts.waiting_seconds}};
  add_queue(c.facts, finding);
  finding.advice = "Raise LimitNOFILE= (ulimit -n), or find out which descriptors the process "
                   "does not close: ls -l /proc/PID/fd.";
  return finding;
}

Verdictless stuck_acceptor(const Case& c) {
  if (!c.is_stuck() || c.out_of_descriptors())
    return nullopt;
  Finding finding{"stuck_acceptor", Confidence::certain, {}, {}, {}};
  finding.what =
      fmt::format("nothing was accepted for {:.1f} s while {} waited", c.facts.idle_seconds,
                  connections(c.facts.accept_queue ? c.facts.accept_queue->depth : 0));
  if (c.overflow_count())
    finding.what += fmt::format("; {} lost", packets(c.overflow_count()));
  if (c.facts.owner_state)
    finding.what += fmt::format("; {}", sentence_of(*c.facts.owner_state));
  finding.evidence = {{"idle_seconds", c.facts.idle_seconds},
                      {"oldest_seconds", c.facts.waiting_seconds}};
  add_queue(c.facts, finding);
  add_number(finding, "drops", c.overflow_count());
  finding.advice = "See why no thread calls accept(): all are busy with other clients, hang, or "
                   "are stopped. More backlog would only let clients wait longer.";
  return finding;
}

Verdictless slow_acceptor(const Case& c) {
  const bool fills =
      c.overflows() || (c.facts.accept_queue && aw_under_pressure(c.facts.accept_queue->depth,
                                                                  c.facts.accept_queue->limit, 50));
  if (!c.is_slow() || !fills)
    return nullopt;
  Finding finding{"slow_acceptor", Confidence::likely, {}, {}, {}};
  finding.what =
      fmt::format("connections wait up to {:.1f} s for accept()", c.facts.oldest_seconds);
  if (c.facts.accept_rate)
    finding.what += fmt::format(", which takes {:.1f} a second", *c.facts.accept_rate);
  if (c.overflow_count())
    finding.what += fmt::format("; {} lost", packets(c.overflow_count()));
  finding.evidence = {{"oldest_seconds", c.facts.oldest_seconds}};
  add_queue(c.facts, finding);
  if (c.facts.accept_rate)
    finding.evidence.push_back({"accepts_per_second", *c.facts.accept_rate});
  add_number(finding, "drops", c.overflow_count());
  finding.advice = "Accept faster: more acceptors or workers, or accept() in a thread of its own. "
                   "More backlog would only let clients wait longer.";
  return finding;
}

Verdictless burst_larger_than_backlog(const Case& c) {
  if (!c.is_burst())
    return nullopt;
  Finding finding{"burst_larger_than_backlog", Confidence::likely, {}, {}, {}};
  finding.what =
      fmt::format("more came at once than {} holds: {} lost, and it was worked off at once",
                  queue_of(c.facts), packets(c.overflow_count()));
  finding.evidence = {{"oldest_seconds", c.facts.oldest_seconds}};
  add_queue(c.facts, finding);
  add_number(finding, "drops", c.overflow_count());
  finding.advice = "The process accepts in time: give it more backlog for bursts.";
  return finding;
}

Verdictless limit_capped_by_somaxconn(const Case& c) {
  const auto limit = c.limit();
  if (!c.is_burst() || !limit || !c.facts.somaxconn || *limit < *c.facts.somaxconn)
    return nullopt;
  const auto asked = c.facts.backlog;
  if (asked && *asked <= *c.facts.somaxconn)
    return nullopt;
  Finding finding{
      "limit_capped_by_somaxconn", asked ? Confidence::certain : Confidence::possible, {}, {}, {}};
  finding.what = asked ? fmt::format("listen() asked for {}, net.core.somaxconn allows {}", *asked,
                                     *c.facts.somaxconn)
                       : fmt::format("the limit is net.core.somaxconn, {}; listen() may have asked "
                                     "for more",
                                     *c.facts.somaxconn);
  finding.evidence = {{"limit", static_cast<double>(*limit)},
                      {"somaxconn", static_cast<double>(*c.facts.somaxconn)}};
  if (asked)
    add_number(finding, "backlog", *asked);
  finding.advice = "Raise it (sysctl -w net.core.somaxconn=4096) and restart the service: listen() "
                   "reads it once.";
  return finding;
}

Verdictless backlog_too_small(const Case& c) {
  const auto limit = c.limit();
  if (!c.is_burst() || !limit)
    return nullopt;
  const bool own = c.facts.backlog ? *c.facts.backlog == *limit
                                   : c.facts.somaxconn && *limit < *c.facts.somaxconn;
  if (!own)
    return nullopt;
  const auto server = default_backlog(c.facts.owner ? c.facts.owner->name : "", *limit);
  Finding finding{"backlog_too_small", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format("the program itself asked for a backlog of {}", *limit);
  if (server)
    finding.what += fmt::format(", the default of {}", server->name);
  finding.evidence = {{"limit", static_cast<double>(*limit)}};
  if (c.facts.somaxconn)
    add_number(finding, "somaxconn", *c.facts.somaxconn);
  finding.advice = server ? fmt::format("Raise it: {}.", server->setting)
                          : "Raise the backlog that it gives to listen(), in its configuration or "
                            "its code.";
  if (c.facts.somaxconn)
    finding.advice += fmt::format(" net.core.somaxconn allows {}.", *c.facts.somaxconn);
  return finding;
}

Verdictless reuseport_imbalance(const Case& c) {
  if (!(c.overflows() || c.is_stuck()) || c.facts.members < 2 || !c.facts.idle_members)
    return nullopt;
  Finding finding{"reuseport_imbalance", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format("this member of a group of {} is full while {} of the others {} room",
                             c.facts.members, c.facts.idle_members,
                             c.facts.idle_members == 1 ? "has" : "have");
  add_number(finding, "members", c.facts.members);
  add_number(finding, "idle_members", c.facts.idle_members);
  add_queue(c.facts, finding);
  finding.advice = "SO_REUSEPORT picks a member by the packet, not by who has time: one that hangs "
                   "loses its share. Restart it, or share one listener.";
  return finding;
}

Verdictless abort_on_overflow(const Case& c) {
  if (!c.goes_on(c.facts.aborted))
    return nullopt;
  Finding finding{"abort_on_overflow", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format("{} reset because the accept queue was full",
                             plural(c.facts.aborted.count, "client was", "clients were"));
  add_number(finding, "resets", c.facts.aborted.count);
  add_queue(c.facts, finding);
  finding.advice = "net.ipv4.tcp_abort_on_overflow is 1; with 0 (the default) their next packet "
                   "would have been a second chance.";
  return finding;
}

/// Of the handshakes that a cookie answered, how many came back. Absent: not known, or
/// nothing to divide by.
std::optional<double> answered_share(const Facts& facts) {
  if (!facts.cookies_sent || !facts.cookies_returned || !*facts.cookies_sent)
    return nullopt;
  return static_cast<double>(*facts.cookies_returned) / static_cast<double>(*facts.cookies_sent);
}

bool looks_like_flood(const Case& c) {
  constexpr double most_return = 0.5;
  const auto share = answered_share(c.facts);
  const uint64_t unanswered = c.syn_queue_count() + c.facts.silent.count;
  return c.syn_queue_fills() && unanswered >= c.limits.flood && share.value_or(0) < most_return;
}

Verdictless syn_flood(const Case& c) {
  if (!looks_like_flood(c))
    return nullopt;
  const auto share = answered_share(c.facts);
  Finding finding{"syn_flood", share ? Confidence::certain : Confidence::likely, {}, {}, {}};
  finding.what = fmt::format("SYNs whose senders do not answer fill the SYN queue: {} of them did "
                             "not get into it",
                             c.syn_queue_count());
  if (share)
    finding.what += fmt::format(", {:.0f} % of the cookies came back", *share * 100);
  add_number(finding, "dropped", c.facts.syn_drops.count);
  add_number(finding, "cookies", c.facts.cookies.count);
  if (share)
    finding.evidence.push_back(
        {"cookies_returned", static_cast<double>(*c.facts.cookies_returned)});
  add_number(finding, "syn_peak", c.facts.syn_peak);
  add_number(finding, "clients", c.facts.clients);
  finding.advice = c.facts.syncookies && *c.facts.syncookies == 0
                       ? "Set net.ipv4.tcp_syncookies=1, so that a full SYN queue refuses nobody."
                       : "Cookies keep the service reachable. Filter the senders upstream if the "
                         "rate hurts.";
  return finding;
}

Verdictless cookies_hide_full_syn_queue(const Case& c) {
  if (!c.goes_on(c.facts.cookies) || looks_like_flood(c))
    return nullopt;
  const auto share = answered_share(c.facts);
  Finding finding{"cookies_hide_full_syn_queue",
                  share && *share > 0.5 ? Confidence::certain : Confidence::likely,
                  {},
                  {},
                  {}};
  finding.what = fmt::format("the SYN queue is full: {} answered with cookies",
                             plural(c.facts.cookies.count, "SYN was", "SYNs were"));
  add_number(finding, "cookies", c.facts.cookies.count);
  add_number(finding, "syn_peak", c.facts.syn_peak);
  if (c.limit())
    add_number(finding, "limit", *c.limit());
  finding.advice = "Nothing was lost, but TCP options were. The SYN queue's limit is the backlog "
                   "given to listen(), capped by somaxconn: raise both.";
  return finding;
}

Verdictless syn_queue_full(const Case& c) {
  if (!c.goes_on(c.facts.syn_drops) || looks_like_flood(c))
    return nullopt;
  Finding finding{"syn_queue_full", Confidence::likely, {}, {}, {}};
  finding.what = fmt::format("the SYN queue is full and tcp_syncookies is 0: {} lost",
                             plural(c.facts.syn_drops.count, "SYN was", "SYNs were"));
  add_number(finding, "dropped", c.facts.syn_drops.count);
  add_number(finding, "syn_peak", c.facts.syn_peak);
  finding.advice = "Set net.ipv4.tcp_syncookies=1, or raise the backlog, somaxconn and "
                   "tcp_max_syn_backlog.";
  return finding;
}

Verdictless handshakes_lost(const Case& c) {
  if (!c.goes_on(c.facts.silent) || c.facts.silent.count < c.limits.strays || c.syn_queue_fills() ||
      c.overflows())
    return nullopt;
  Finding finding{"handshakes_lost",
                  c.facts.clients > 1 ? Confidence::likely : Confidence::possible,
                  {},
                  {},
                  {}};
  finding.what = fmt::format("SYN-ACKs went out and no ACK came back: {} sent again to {}",
                             plural(c.facts.silent.count, "was", "were"),
                             plural(c.facts.clients, "client", "clients"));
  if (c.facts.expired.count)
    finding.what += fmt::format(", {} given up", c.facts.expired.count);
  add_number(finding, "retransmits", c.facts.silent.count);
  add_number(finding, "expired", c.facts.expired.count);
  add_number(finding, "clients", c.facts.clients);
  finding.advice = "Queues and the process are fine; the packets are lost on the way: look at "
                   "routes (asymmetric ones), firewalls between, and the clients.";
  return finding;
}

Verdictless restart_gap(const Case& c) {
  const auto& former = c.facts.former;
  if (!c.goes_on(c.facts.refused) || !former ||
      former->closed_seconds_ago > c.limits.former_seconds)
    return nullopt;
  Finding finding{"restart_gap", Confidence::certain, {}, {}, {}};
  finding.what =
      fmt::format("{} refused while nobody listened: {}/{} closed it {:.3f} s before the first",
                  connections(c.facts.refused.count), former->owner.name, former->owner.pid,
                  former->closed_seconds_ago);
  if (c.facts.gap_seconds)
    finding.what +=
        fmt::format(", and after {:.3f} s somebody listened again", *c.facts.gap_seconds);
  add_number(finding, "refused", c.facts.refused.count);
  if (c.facts.gap_seconds)
    finding.evidence.push_back({"gap_seconds", *c.facts.gap_seconds});
  finding.advice = "Reload instead of restarting, or keep the socket open across the restart: a "
                   "systemd socket unit, or SO_REUSEPORT with both running for a moment.";
  return finding;
}

Verdictless closed_port(const Case& c) {
  const bool gap = c.facts.former && c.facts.former->closed_seconds_ago <= c.limits.former_seconds;
  if (c.facts.listening || gap || !c.goes_on(c.facts.refused) ||
      c.facts.refused.count < c.limits.strays)
    return nullopt;
  Finding finding{"closed_port", Confidence::certain, {}, {}, {}};
  finding.what =
      fmt::format("nobody listens there; {} refused", connections(c.facts.refused.count));
  add_number(finding, "refused", c.facts.refused.count);
  add_number(finding, "clients", c.facts.clients);
  finding.advice =
      "Start the service, or look for it on another address or port: acceptwatch list.";
  return finding;
}

Verdictless closed_with_full_queue(const Case& c) {
  if (!c.goes_on(c.facts.left_alone))
    return nullopt;
  Finding finding{"closed_with_queue", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format("the listener was closed while {} waited in its queues",
                             connections(c.facts.left_alone.count));
  add_number(finding, "lost", c.facts.left_alone.count);
  finding.advice = "Accept until the queue is empty before closing, or hand the socket over "
                   "(reload, systemd socket unit, net.ipv4.tcp_migrate_req with SO_REUSEPORT).";
  return finding;
}

/// A packet that somebody refused, by the reason of its record.
struct Refusal {
  aw_reason reason;
  std::string_view name;
  const char* what;
  const char* advice;
};

constexpr std::array refusals{
    Refusal{AW_FIREWALL, "firewall", "netfilter on this host dropped {}",
            "Find the rule: nft list ruleset, iptables-save -c (its counter moves)."},
    Refusal{AW_SOCKET_FILTER, "socket_filter", "the listener's own socket filter dropped {}",
            "See the filter that the program attached: ss -ltb."},
    Refusal{AW_AUTHENTICATION, "authentication", "a missing or wrong MD5/AO signature: {} dropped",
            "Compare the keys of both ends."},
    Refusal{AW_SECURITY_MODULE, "security_module", "a security module refused {}",
            "See its log: ausearch -m avc, journalctl -k."},
    Refusal{AW_NO_ROUTE, "no_route", "there is no route back to the client: {} dropped",
            "See ip route get CLIENT."},
    Refusal{AW_MEMORY, "memory", "the kernel had no memory for a request: {} dropped",
            "See the kernel's log, and net.ipv4.tcp_mem."},
    Refusal{AW_COOKIE_INVALID, "cookie_invalid", "ACKs with no valid cookie: {} dropped",
            "They came too late (after two minutes), or were forged."},
};

Verdictless refusal(const Case& c, const Refusal& kind) {
  const Seen& seen = c.dropped(kind.reason);
  if (!c.goes_on(seen))
    return nullopt;
  Finding finding{kind.name, Confidence::certain, {}, {}, kind.advice};
  finding.what = fmt::format(fmt::runtime(kind.what), packets(seen.count));
  add_number(finding, "dropped", seen.count);
  add_number(finding, "clients", c.facts.clients);
  return finding;
}

struct Rule {
  std::string_view name;
  Verdictless (*holds)(const Case&);
};

/// The most telling first.
constexpr std::array rules{
    Rule{"descriptors_exhausted", descriptors_exhausted},
    Rule{"stuck_acceptor", stuck_acceptor},
    Rule{"slow_acceptor", slow_acceptor},
    Rule{"burst_larger_than_backlog", burst_larger_than_backlog},
    Rule{"limit_capped_by_somaxconn", limit_capped_by_somaxconn},
    Rule{"backlog_too_small", backlog_too_small},
    Rule{"reuseport_imbalance", reuseport_imbalance},
    Rule{"abort_on_overflow", abort_on_overflow},
    Rule{"syn_flood", syn_flood},
    Rule{"cookies_hide_full_syn_queue", cookies_hide_full_syn_queue},
    Rule{"syn_queue_full", syn_queue_full},
    Rule{"restart_gap", restart_gap},
    Rule{"closed_port", closed_port},
    Rule{"closed_with_queue", closed_with_full_queue},
    Rule{"handshakes_lost", handshakes_lost},
};

} // namespace

std::vector<Finding> judge(const Facts& facts, const Thresholds& thresholds) {
  const Case c{facts, thresholds};
  std::vector<Finding> findings;
  for (const Rule& rule : rules) {
    if (auto finding = rule.holds(c))
      findings.push_back(std::move(*finding));
  }
  for (const Refusal& kind : refusals) {
    if (auto finding = refusal(c, kind))
      findings.push_back(std::move(*finding));
  }
  return findings;
}

std::vector<std::string_view> finding_names() {
  std::vector<std::string_view> names;
  for (const Rule& rule : rules)
    names.push_back(rule.name);
  for (const Refusal& kind : refusals)
    names.push_back(kind.name);
  return names;
}

std::vector<std::string> ruled_out(const Facts& facts, const Thresholds& thresholds) {
  const Case c{facts, thresholds};
  std::vector<std::string> sentences;
  const auto say = [&](bool excluded, std::string sentence) {
    if (excluded)
      sentences.push_back(std::move(sentence));
  };
  say(facts.listening && !facts.refused.count, "closed port: somebody listens");
  say(!c.dropped(AW_FIREWALL).count, "firewall of this host: it dropped no packet to this port");
  if (facts.accept_queue)
    say(!c.overflow_count(), fmt::format("accept queue full: at most {} of {} waited",
                                         facts.accept_peak, facts.accept_queue->limit));
  if (facts.syn_queue)
    say(!c.syn_queue_count(), fmt::format("SYN queue full: at most {} of {} were in it",
                                          facts.syn_peak, facts.syn_queue->limit));
  say(!facts.silent.count, "packets lost on the way: no SYN-ACK had to be sent again for a silent "
                           "client");
  if (c.overflow_count())
    say(!c.out_of_descriptors(), "descriptors: no owner has run out of them");
  return sentences;
}

} // namespace acceptwatch
