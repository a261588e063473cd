// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rule_context.h"

namespace acceptwatch::rule {
namespace {

/// Of the handshakes that a cookie answered, how many came back. Absent: not known, or
/// nothing to divide by.
std::optional<double> answered_share(const Facts& facts) {
  if (!facts.cookies_sent || !facts.cookies_returned || !*facts.cookies_sent)
    return std::nullopt;
  return static_cast<double>(*facts.cookies_returned) / static_cast<double>(*facts.cookies_sent);
}

bool looks_like_flood(const RuleContext& c) {
  constexpr double most_return = 0.5;
  const auto share = answered_share(c.facts);
  const uint64_t unanswered = c.syn_queue_count() + c.facts.silent.count;
  if (!c.syn_queue_fills() || unanswered < c.limits.flood)
    return false;
  // Where it is not known how many cookies come back, senders have to be seen that do not answer.
  return share ? *share < most_return
               : c.facts.silent.count + c.facts.syn_drops.count >= c.limits.flood;
}

} // namespace

MaybeFinding syn_flood(const RuleContext& c) {
  if (!looks_like_flood(c))
    return std::nullopt;
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

MaybeFinding cookies_hide_full_syn_queue(const RuleContext& c) {
  // A flood begins like that, and reaches its number within the second.
  constexpr uint64_t settle_ns = 1'000'000'000;
  if (!c.goes_on(c.facts.cookies) || looks_like_flood(c) ||
      c.facts.now_ns < c.facts.cookies.first_ns + settle_ns)
    return std::nullopt;
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
  finding.advice =
      c.overflow_count()
          ? "The queues' limit is the backlog given to listen(), capped by somaxconn: "
            "raise both, and accept faster, since valid cookies found the accept queue "
            "full."
          : "No handshake is refused for that, but TCP options get lost. The SYN "
            "queue's limit is the backlog given to listen(), capped by somaxconn: "
            "raise both.";
  return finding;
}

MaybeFinding syn_queue_full(const RuleContext& c) {
  if (!c.goes_on(c.facts.syn_drops) || looks_like_flood(c))
    return std::nullopt;
  Finding finding{"syn_queue_full", Confidence::likely, {}, {}, {}};
  finding.what = fmt::format("the SYN queue is full and tcp_syncookies is 0: {} lost",
                             plural(c.facts.syn_drops.count, "SYN was", "SYNs were"));
  add_number(finding, "dropped", c.facts.syn_drops.count);
  add_number(finding, "syn_peak", c.facts.syn_peak);
  finding.advice = "Set net.ipv4.tcp_syncookies=1, or raise the backlog, somaxconn and "
                   "tcp_max_syn_backlog.";
  return finding;
}

MaybeFinding handshakes_lost(const RuleContext& c) {
  if (!c.goes_on(c.facts.silent) || c.facts.silent_handshakes < c.limits.failed_handshakes ||
      c.syn_queue_fills() || c.overflows() || c.most_arrive() || c.was_flooded() || eats_answers(c))
    return std::nullopt;
  Finding finding{"handshakes_lost",
                  c.facts.clients > 1 ? Confidence::likely : Confidence::possible,
                  {},
                  {},
                  {}};
  finding.what = fmt::format("no ACK came for SYN-ACKs: {} sent again to {}",
                             plural(c.facts.silent.count, "was", "were"),
                             plural(c.facts.clients, "client", "clients"));
  if (c.facts.expired.count)
    finding.what += fmt::format(", {} given up", c.facts.expired.count);
  add_number(finding, "retransmits", c.facts.silent.count);
  add_number(finding, "expired", c.facts.expired.count);
  add_number(finding, "clients", c.facts.clients);
  finding.advice = "Queues and the process are fine. The SYN-ACK or the ACK is lost: on the way "
                   "(asymmetric routes, firewalls between, silent clients), or on this host where "
                   "nobody looks: nft list ruleset (output and input), ip route get CLIENT, ip "
                   "neigh, tc filter show.";
  return finding;
}

} // namespace acceptwatch::rule
