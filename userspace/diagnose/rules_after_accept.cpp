// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rule_context.h"
#include "diagnose/servers.h"

#include <array>

namespace acceptwatch::rule {
namespace {

/// "3 of 40 connections"
std::string share_of(const Facts& facts) {
  const EarlyCloses& early = facts.early;
  const uint64_t closed = facts.closed_early.count;
  if (!early.first_number || !early.last_number)
    return connections(closed);
  const uint64_t accepted = *early.last_number - *early.first_number + 1;
  return accepted < closed ? connections(closed)
                           : fmt::format("{} of {}", closed, connections(accepted));
}

std::string ways_of(const EarlyCloses& early) {
  struct Way {
    aw_reason reason;
    std::string_view words;
  };
  constexpr std::array ways{
      Way{AW_UNREAD, "reset with data of the client unread"},
      Way{AW_RESET, "reset on purpose (SO_LINGER)"},
      Way{AW_UNSERVED, "closed without a word"},
      Way{AW_TURNED_AWAY, "closed with a word, and nothing read"},
      Way{AW_PROCESS_FAILED, "closed as its process failed"},
  };
  std::string text;
  for (const auto& [reason, words] : ways) {
    if (const uint64_t count = early.reasons[reason])
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, words);
  }
  return text;
}

/// Whose name tells which server it is: who closed it, or who listens.
std::optional<std::string_view> why_of(const Facts& facts) {
  std::optional<std::string_view> why;
  if (facts.early.closer)
    why = turns_away_by(facts.early.closer->name);
  if (!why && facts.owner)
    why = turns_away_by(facts.owner->name);
  return why;
}

std::string advice_of(const Facts& facts, const std::string& who) {
  if (const auto why = why_of(facts))
    return fmt::format("See the log of {}. Perhaps {}.", who, *why);
  const auto& closer = facts.early.closer;
  if (closer && closer->is_death() && closer->signal())
    return advice_for_death(*closer);
  return fmt::format("See the log of {}: a limit of connections is reached, a list refuses the "
                     "client, or what it forwards to cannot be reached.",
                     who);
}

std::string duration(double seconds) {
  return seconds < 0.001 ? fmt::format("{:.0f} us", seconds * 1e6)
                         : fmt::format("{:.0f} ms", seconds * 1e3);
}

} // namespace

MaybeFinding closed_after_accept(const RuleContext& c) {
  const Facts& facts = c.facts;
  if (!c.goes_on(facts.closed_early) || facts.closed_early.count < c.limits.failed_handshakes)
    return std::nullopt;
  const auto& closer = facts.early.closer;
  const std::string who = closer && !closer->name.empty() ? closer->name
                          : facts.owner                   ? facts.owner->name
                                                          : std::string{"the server"};
  Finding finding{"closed_after_accept", Confidence::certain, {}, {}, {}};
  finding.what = fmt::format(
      "{} closed {} within {} of {}: {}", closer ? fmt::format("{}/{}", who, closer->pid) : who,
      share_of(facts), duration(facts.early.longest_seconds),
      facts.early.since_accept ? "accept()" : "the handshake", ways_of(facts.early));
  if (closer && closer->exit_code)
    finding.what += fmt::format("; the process of the last one ended by {}", exit_text(*closer));
  add_number(finding, "closed", facts.closed_early.count);
  add_number(finding, "closed_with_data_read", facts.early.read);
  finding.evidence.push_back({"longest_seconds", facts.early.longest_seconds});
  finding.advice = advice_of(facts, who);
  return finding;
}

} // namespace acceptwatch::rule
