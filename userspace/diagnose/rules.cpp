// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rules.h"

#include "diagnose/rule_context.h"

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
    Refusal{AW_OTHER, "refused_on_the_way", "the kernel refused {} on the way in", ""},
    Refusal{AW_COOKIE_INVALID, "cookie_invalid", "ACKs with no valid cookie: {} dropped",
            "They came too late (after two minutes), or were forged."},
};

/// By the kernel's own name of why it dropped the packet (enum skb_drop_reason).
const char* advice_for_reason(std::string_view reason) {
  if (reason == "IP_RPFILTER")
    return "The way back to the client leads through another device than the packet came by: see "
           "ip route get CLIENT, and set net.ipv4.conf.*.rp_filter=2 where routes are asymmetric.";
  if (reason == "TCP_MINTTL")
    return "The client is more hops away than the program allows (IP_MINTTL).";
  if (reason == "XFRM_POLICY")
    return "An IPsec policy wants these packets protected: ip xfrm policy.";
  if (reason == "PFMEMALLOC")
    return "The host is short of memory, and keeps what it has for writing memory out: free -m.";
  return "See what the kernel means by it: enum skb_drop_reason.";
}

MaybeFinding refusal(const RuleContext& c, const Refusal& kind) {
  const Seen& seen = c.dropped(kind.reason);
  if (!c.goes_on(seen))
    return std::nullopt;
  Finding finding{kind.name, Confidence::certain, {}, {}, kind.advice};
  finding.what = fmt::format(fmt::runtime(kind.what), packets(seen.count));
  if (kind.reason == AW_OTHER) {
    finding.what += fmt::format(": {}", c.facts.kernel_reason.empty() ? "no reason is known"
                                                                      : c.facts.kernel_reason);
    finding.advice = advice_for_reason(c.facts.kernel_reason);
  }
  add_number(finding, "dropped", seen.count);
  add_number(finding, "clients", c.facts.clients);
  return finding;
}

struct Rule {
  std::string_view name;
  MaybeFinding (*holds)(const RuleContext&);
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
  const RuleContext c{facts, thresholds};
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
  names.reserve(rules.size() + refusals.size());
  for (const Rule& one : rules)
    names.push_back(one.name);
  for (const Refusal& kind : refusals)
    names.push_back(kind.name);
  return names;
}

} // namespace acceptwatch
