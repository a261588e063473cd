// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rules.h"

#include "diagnose/rule_context.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace acceptwatch {
namespace {

struct Rule {
  std::string_view name;
  MaybeFinding (*holds)(const RuleContext&);
};

/// The most telling first.
constexpr std::array rules{
    Rule{"descriptors_exhausted", rule::descriptors_exhausted},
    Rule{"host_files_exhausted", rule::host_files_exhausted},
    Rule{"inherited_listener", rule::inherited_listener},
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
    Rule{"crash_loop", rule::crash_loop},
    Rule{"owner_died", rule::owner_died},
    Rule{"listener_shut_down", rule::listener_shut_down},
    Rule{"restart_gap", rule::restart_gap},
    Rule{"service_stopped", rule::service_stopped},
    Rule{"closed_by_owner", rule::closed_by_owner},
    Rule{"reopened_by_owner", rule::reopened_by_owner},
    Rule{"closed_port", rule::closed_port},
    Rule{"closed_with_queue", rule::closed_with_queue},
    Rule{"closed_after_accept", rule::closed_after_accept},
    Rule{"handshakes_lost", rule::handshakes_lost},
    Rule{"conntrack_full", rule::conntrack_full},
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
  std::ranges::move(rule::refusals(c), std::back_inserter(findings));
  return findings;
}

std::vector<std::string_view> finding_names() {
  std::vector<std::string_view> names;
  std::ranges::transform(rules, std::back_inserter(names), &Rule::name);
  std::ranges::copy(rule::refusal_names(), std::back_inserter(names));
  return names;
}

} // namespace acceptwatch
