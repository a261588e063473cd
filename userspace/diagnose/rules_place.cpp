// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rule_context.h"

#include "events/names.h"

namespace acceptwatch::rule {
namespace {

std::string place_of(const Facts& facts) {
  if (facts.refused_at.empty())
    return "there";
  std::string text;
  for (const Address& address : facts.refused_at)
    text +=
        fmt::format("{}{}", text.empty() ? "at " : " or ", std::string_view{to_string(address)});
  if (facts.refused_at.size() == Facts::max_refused_at)
    text += " (or others)";
  return facts.refused_behind
             ? fmt::format("{}; clients come to {}", text, text_of(*facts.refused_behind))
             : text;
}

/// A wildcard of IPv6 takes IPv4 as well, unless the socket was told not to.
bool is_for_ipv6_only(const Facts& facts, const Facts::Elsewhere& one) {
  const auto is_ipv4 = [](const Address& address) { return address.family == AF_INET; };
  return std::ranges::any_of(facts.refused_at, is_ipv4) && one.address.family == AF_INET6 &&
         one.address.bytes == decltype(one.address.bytes){};
}

/// Who listens on the same port, but is not reached.
std::string elsewhere_of(const Facts& facts) {
  std::string text;
  for (const auto& one : facts.elsewhere)
    text +=
        fmt::format("; {} listens on that port at {} only{}",
                    one.owner ? fmt::format("{}/{}", one.owner->name, one.owner->pid) : "somebody",
                    std::string_view{to_string(one.address)},
                    one.other_netns                ? ", in another network namespace"
                    : is_for_ipv6_only(facts, one) ? ", and for IPv6 only"
                                                   : "");
  return text;
}

/// What to do about it that somebody listens, and not there.
std::string advice_for_elsewhere(const Facts& facts) {
  const auto& first = facts.elsewhere.front();
  if (first.other_netns)
    return "Publish the port, or send the clients to the address of that network namespace: "
           "acceptwatch list.";
  if (is_for_ipv6_only(facts, first))
    return "Let it serve IPv4, too: IPV6_V6ONLY is set in the program, or by "
           "net.ipv6.bindv6only=1; or bind it to 0.0.0.0 as well.";
  return "Bind it to 0.0.0.0 or [::], or let the clients come to the address that it "
         "listens on: acceptwatch list.";
}

/// It dropped some, where a packet is tracked: on its way in or out of this host.
bool drops_for_conntrack(const RuleContext& c) {
  const auto refused = c.facts.refusals.find(AW_FIREWALL);
  if (!c.facts.conntrack || !c.facts.conntrack_dropped || refused == c.facts.refusals.end())
    return false;
  const aw_hook hook = refused->second.hook;
  return hook == AW_HOOK_PREROUTING || hook == AW_HOOK_OUTPUT || hook == AW_HOOK_UNKNOWN;
}

/// ", 3 of them SYN-ACKs, at output"
std::string where(const Facts& facts) {
  const auto refused = facts.refusals.find(AW_FIREWALL);
  if (refused == facts.refusals.end())
    return {};
  const auto& packets = refused->second.packets;
  const aw_hook hook = refused->second.hook;
  std::string text;
  if (packets[AW_STAGE_SYNACK])
    text = fmt::format(", {} of them SYN-ACKs", packets[AW_STAGE_SYNACK]);
  if (packets[AW_STAGE_ACK])
    text += fmt::format(", {} of them ACKs", packets[AW_STAGE_ACK]);
  if (hook != AW_HOOK_UNKNOWN)
    text += fmt::format(", at {}", name_of(hook));
  if (refused->second.translation)
    text += fmt::format(", on the way to {}", text_of(*refused->second.translation));
  return text;
}

} // namespace

MaybeFinding closed_port(const RuleContext& c) {
  const bool gap = c.facts.former && c.facts.former->closed_seconds_ago <= c.limits.former_seconds;
  if (c.facts.listening || gap || !c.goes_on(c.facts.refused) ||
      c.facts.refused.count < c.limits.failed_handshakes)
    return std::nullopt;
  Finding finding{"closed_port", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format("nobody listens {}; {} refused", place_of(c.facts),
                             connections(c.facts.refused.count)) +
                 elsewhere_of(c.facts);
  add_number(finding, "refused", c.facts.refused.count);
  add_number(finding, "clients", c.facts.clients);
  finding.advice =
      c.facts.elsewhere.empty()
          ? std::string{"Start the service, or look for it on another address or port: "
                        "acceptwatch list."}
          : advice_for_elsewhere(c.facts);
  return finding;
}

MaybeFinding closed_with_queue(const RuleContext& c) {
  if (!c.goes_on(c.facts.lost_at_close))
    return std::nullopt;
  Finding finding{"closed_with_queue", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format("the listener was closed while {} waited in its accept queue",
                             connections(c.facts.lost_at_close.count));
  add_number(finding, "lost", c.facts.lost_at_close.count);
  if (c.facts.end && c.facts.end->is_death()) {
    finding.what += fmt::format(", as its process ended: {}", exit_text(*c.facts.end));
    finding.advice = advice_for_death(*c.facts.end);
    return finding;
  }
  finding.advice =
      "Before the service is stopped, take it out of the load balancer and let it accept "
      "those that wait, or hand the socket over (reload, systemd socket unit, "
      "net.ipv4.tcp_migrate_req with SO_REUSEPORT).";
  return finding;
}

/// Where connections are tracked first, no chain of nf_tables has been asked yet.
MaybeFinding conntrack_full(const RuleContext& c) {
  const Seen& dropped = c.dropped(AW_FIREWALL);
  if (!c.goes_on(dropped) || !drops_for_conntrack(c))
    return std::nullopt;
  const ConntrackTable& table = *c.facts.conntrack;
  Finding finding{"conntrack_full",
                  c.facts.conntrack_dropped >= dropped.count ? Confidence::likely
                                                             : Confidence::possible,
                  {},
                  {},
                  {}};
  finding.what =
      fmt::format("the table of tracked connections is full ({} of {}): the kernel "
                  "dropped {} for that, and {} of them or of a rule came here",
                  table.entries, table.limit, packets(c.facts.conntrack_dropped), dropped.count);
  add_number(finding, "dropped", dropped.count);
  add_number(finding, "entries", table.entries);
  add_number(finding, "limit", table.limit);
  finding.advice = "No rule is to be looked for. Raise net.netfilter.nf_conntrack_max (and "
                   "nf_conntrack_buckets), or find what fills it: conntrack -S, conntrack -L.";
  return finding;
}

MaybeFinding firewall(const RuleContext& c) {
  const Seen& dropped = c.dropped(AW_FIREWALL);
  const Seen& rejected = c.facts.rejected;
  if (!c.goes_on(dropped) && !c.goes_on(rejected))
    return std::nullopt;
  if (!rejected.count && !c.facts.chain && drops_for_conntrack(c) &&
      c.facts.conntrack_dropped >= dropped.count)
    return std::nullopt;
  Finding finding{"firewall", Confidence::certain, {}, {}, {}};
  // Where drops have no reason (before 5.17) only the RST shows.
  const uint64_t refused = std::max(dropped.count, rejected.count);
  finding.what =
      fmt::format("netfilter on this host dropped {}{}", packets(refused), where(c.facts));
  if (rejected.count)
    finding.what +=
        fmt::format(", and answered {} with a RST",
                    rejected.count == refused ? "each" : fmt::format("{}", rejected.count));
  add_number(finding, "dropped", refused);
  if (rejected.count)
    add_number(finding, "rejected", rejected.count);
  add_number(finding, "clients", c.facts.clients);
  finding.advice =
      c.facts.chain
          ? fmt::format("Find the rule: nft list ruleset, there chain {} of table {} (or one that "
                        "it jumps to).",
                        c.facts.chain->name, c.facts.chain->table)
          : "Find the rule: nft list ruleset, iptables-save -c (its counter moves).";
  return finding;
}

} // namespace acceptwatch::rule
