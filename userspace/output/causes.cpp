// SPDX-License-Identifier: Apache-2.0
#include "output/causes.h"

#include "events/names.h"
#include "output/cells.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>

namespace acceptwatch {
namespace {

std::string section(std::string_view title, CauseState state,
                    const std::vector<CauseJudgement>& causes) {
  std::string text;
  for (const CauseJudgement& one : causes) {
    if (one.state == state)
      text += wrapped(one.what, "  ");
  }
  return text.empty() ? text : fmt::format("\n{}\n{}", title, text);
}

void write_sentences(JsonWriter& json, std::string_view key, CauseState state,
                     const std::vector<CauseJudgement>& causes) {
  json.begin_array(key);
  for (const CauseJudgement& one : causes) {
    if (one.state == state)
      json.string(one.what);
  }
  json.end_array();
}

uint64_t count_of(const Snapshot& summary, aw_action action) {
  uint64_t count = 0;
  for (const Total& total : summary.seen)
    count += total.action == action ? total.count : 0;
  return count;
}

} // namespace

std::string what_failed(const Snapshot& summary) {
  struct Phrase {
    aw_action action;
    std::string_view one;
    std::string_view many;
  };
  constexpr std::array phrases{
      Phrase{AW_LISTEN_DROP, "packet was dropped", "packets were dropped"},
      Phrase{AW_RESET_SENT, "RST was sent", "RSTs were sent"},
      Phrase{AW_HANDSHAKE_EXPIRED, "handshake was given up", "handshakes were given up"},
      Phrase{AW_SYNACK_RETRANSMIT, "SYN-ACK was sent again", "SYN-ACKs were sent again"},
      Phrase{AW_CLOSED_AFTER_ACCEPT, "connection was closed at once after accept()",
             "connections were closed at once after accept()"},
      Phrase{AW_SYNCOOKIE_SENT, "SYN was answered with a cookie",
             "SYNs were answered with cookies"}};
  std::string text;
  for (const auto& [action, one, many] : phrases) {
    if (const uint64_t count = count_of(summary, action))
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, count == 1 ? one : many);
  }
  return text;
}

std::string causes_text(const std::vector<CauseJudgement>& causes) {
  return section("Ruled out", CauseState::excluded, causes) + unseen_text(causes);
}

std::string unseen_text(const std::vector<CauseJudgement>& causes) {
  return section("Could not be seen", CauseState::unseen, causes);
}

std::string evidence_text(const std::vector<EvidenceSeen>& evidence) {
  if (evidence.empty())
    return {};
  std::string text = "\nThe kernel also counted; no record says whose these were\n";
  for (const EvidenceSeen& one : evidence) {
    text += wrapped(fmt::format("{} {}: {}", one.count, one.name, one.what), "  ");
    text += wrapped(fmt::format("-> {}", one.advice), "  ");
  }
  return text;
}

bool sees_all_of_tcp(const std::vector<CauseJudgement>& causes) {
  return std::ranges::none_of(causes, [](const CauseJudgement& one) {
    return one.state == CauseState::unseen && one.cause != "before_tcp";
  });
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
  case Outcome::found:
    return "found";
  case Outcome::well:
    return "well";
  default:
    return "unknown";
  }
}

void write_causes(JsonWriter& json, const Snapshot& snapshot) {
  write_sentences(json, "ruled_out", CauseState::excluded, snapshot.causes);
  write_sentences(json, "not_seen", CauseState::unseen, snapshot.causes);
  json.begin_array("kernel_counted");
  for (const EvidenceSeen& one : snapshot.evidence) {
    json.begin_object();
    json.member("counter", one.name);
    json.member("count", one.count);
    json.member("what", one.what);
    json.member("advice", one.advice);
    json.end_object();
  }
  json.end_array();
}

} // namespace acceptwatch
