// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rules.h"

#include "diagnose/case.h"

#include <array>

namespace acceptwatch {
namespace {

/// A packet that somebody refused, by the reason of its record.
struct Refusal {
  aw_reason reason;
  std::string_view name;
  const char* what;
  const char* advice;
};

constexpr std::array refusals{
    Refusal{AW_SOCKET_FILTER, "socket_filter", "the listener's own socket filter dropped {}",
            "See the filter that the program attached: ss -ltb."},
    Refusal{AW_AUTHENTICATION, "authentication", "a missing or wrong MD5/AO signature: {} dropped",
            "Compare the keys of both ends."},
    Refusal{AW_SECURITY_MODULE, "security_module", "a security module refused {}",
            "See its log: ausearch -m avc, journalctl -k."},
    Refusal{AW_NO_ROUTE, "no_route", "there is no route back to the client: {} dropped",
            "See ip route get CLIENT."},
    Refusal{
        AW_MEMORY, "memory", "the kernel had no memory for a request: {} dropped",
        "The host is short of memory: see free -m and the kernel's log. What is kept for packets "
        "is vm.min_free_kbytes."},
    Refusal{AW_COOKIE_INVALID, "cookie_invalid", "ACKs with no valid cookie: {} dropped",
            "They came too late (after two minutes), or were forged."},
};

MaybeFinding refusal(const Case& c, const Refusal& kind) {
  const Seen& seen = c.dropped(kind.reason);
  if (!c.goes_on(seen))
    return std::nullopt;
  Finding finding{kind.name, Confidence::certain, {}, {}, kind.advice};
  finding.what = fmt::format(fmt::runtime(kind.what), packets(seen.count));
  add_number(finding, "dropped", seen.count);
  add_number(finding, "clients", c.facts.clients);
  return finding;
}

struct Rule {
  std::string_view name;
  MaybeFinding (*holds)(const Case&);
};

/// The most telling first.
constexpr std::array rules{
    Rule{"descriptors_exhausted", rule::descriptors_exhausted},
    Rule{"host_files_exhausted", rule::host_files_exhausted},
    Rule{"stuck_acceptor", rule::stuck_acceptor},
    Rule{"slow_acceptor", rule::slow_acceptor},
    Rule{"burst_larger_than_backlog", rule::burst_larger_than_backlog},
    Rule{"limit_capped_by_somaxconn", rule::limit_capped_by_somaxconn},
    Rule{"backlog_too_small", rule::backlog_too_small},
    Rule{"reuseport_imbalance", rule::reuseport_imbalance},
    Rule{"abort_on_overflow", rule::abort_on_overflow},
    Rule{"syn_flood", rule::syn_flood},
    Rule{"cookies_hide_full_syn_queue", rule::cookies_hide_full_syn_queue},
    Rule{"syn_queue_full", rule::syn_queue_full},
    Rule{"restart_gap", rule::restart_gap},
    Rule{"closed_port", rule::closed_port},
    Rule{"closed_with_queue", rule::closed_with_queue},
    Rule{"handshakes_lost", rule::handshakes_lost},
    Rule{"firewall", rule::firewall},
};

} // namespace

std::vector<Finding> judge(const Facts& facts, const Thresholds& thresholds) {
  const Case c{facts, thresholds};
  std::vector<Finding> findings;
  for (const Rule& one : rules) {
    if (auto finding = one.holds(c))
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
  for (const Rule& one : rules)
    names.push_back(one.name);
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
  say(!c.dropped(AW_FIREWALL).count && !c.facts.rejected.count,
      "firewall of this host: it dropped no packet to this port");
  if (facts.accept_queue)
    say(!c.overflow_count(), fmt::format("accept queue full: at most {} of {} waited",
                                         facts.accept_peak, facts.accept_queue->limit));
  if (facts.syn_queue)
    say(!c.syn_queue_count(), fmt::format("SYN queue full: at most {} of {} were in it",
                                          facts.syn_peak, facts.syn_queue->limit));
  say(!facts.silent.count, "packets lost on the way: no SYN-ACK had to be sent again for a silent "
                           "client");
  if (c.overflow_count())
    say(!c.facts.shortage, "descriptors: neither an owner nor the host has run out of them");
  return sentences;
}

} // namespace acceptwatch
