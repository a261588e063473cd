// SPDX-License-Identifier: Apache-2.0
#include "core/judge.h"

#include <functional>
#include <set>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

using Complaints = std::vector<std::string>;

const std::string client_port = "client.port";

// An expectation, and what of it has not been seen yet.
struct Open {
  const Expectation* expected = nullptr;
  uint64_t missing = 0;
  std::map<uint16_t, uint64_t> missing_of; // by client port
  bool blind = false;
  bool has_folded = false; // a record stood for several
};

// Compares fields of one record with one expectation.
class FieldCheck {
public:
  FieldCheck(const Expectation& expected, const Record& record, const std::vector<BlindSpot>& blind)
      : expected_(expected), record_(record), blind_(blind) {}

  void text(const std::string& path, const std::string& wanted) {
    if (wanted.empty()) {
      return;
    }
    const auto seen = record_.field(path);
    if (!seen) {
      absent(path, wanted);
    } else if (*seen != wanted && !is_blind(blind_, expected_, path)) {
      complaints_.push_back(cat(path, " is ", *seen, ", not ", wanted));
    }
  }

  void number(const std::string& path, const std::optional<Range>& wanted) {
    if (!wanted) {
      return;
    }
    const auto seen = record_.number(path);
    if (!seen) {
      absent(path, wanted->text());
    } else if (!wanted->holds(*seen) && !is_blind(blind_, expected_, path)) {
      complaints_.push_back(cat(path, " is ", *seen, ", not ", wanted->text()));
    }
  }

  void stack(const std::string& wanted) {
    if (!wanted.empty() && !record_.kernel_functions.contains(wanted)) {
      absent("acceptwatch.owner_state.stacks", wanted);
    }
  }

  void nothing(const std::string& path) {
    if (const auto seen = record_.field(path); seen && !is_blind(blind_, expected_, path)) {
      complaints_.push_back(cat(path, " is ", *seen, ", where nobody is to be named"));
    }
  }

  Complaints take() { return std::move(complaints_); }

private:
  void absent(const std::string& path, const std::string& wanted) {
    if (!is_blind(blind_, expected_, path)) {
      complaints_.push_back(cat(path, " is absent, not ", wanted));
    }
  }

  const Expectation& expected_;
  const Record& record_;
  const std::vector<BlindSpot>& blind_;
  Complaints complaints_;
};

// Whether the record can be one of those that are still missing; its other fields are another
// matter.
bool is_one_of(const Open& open, const Record& record) {
  const Expectation& expected = *open.expected;
  // How a listener ended is a matter of the record, not of which it is.
  const bool is_end = record.action == "listener_closed";
  if (record.action != expected.action || (record.reason != expected.reason && !is_end) ||
      record.count > open.missing) {
    return false;
  }
  if (const auto port = record.number("server.port"); port && *port != expected.server_port) {
    return false;
  }
  if (const auto port = record.number(client_port); port && !expected.clients.empty()) {
    const auto place = open.missing_of.find(static_cast<uint16_t>(*port));
    return place != open.missing_of.end() && (expected.folds || record.count <= place->second);
  }
  return true;
}

void take_off(Open& open, const Record& record) {
  open.missing -= record.count;
  open.has_folded |= record.count > 1;
  if (open.expected->folds) {
    return; // the client is an example
  }
  if (const auto port = record.number(client_port); port && !open.expected->clients.empty()) {
    open.missing_of[static_cast<uint16_t>(*port)] -= record.count;
  }
}

std::vector<Open> open_all(const WorldReport& world, const std::vector<BlindSpot>& blind,
                           Verdict& verdict) {
  std::vector<Open> all;
  for (const Expectation& expected : world.expected) {
    const bool unseen = is_blind(blind, expected);
    all.push_back({&expected, expected.total(), expected.clients, unseen});
    if (unseen) {
      verdict.blind.push_back(expected.text());
    }
  }
  return all;
}

// Takes the records for which `fits` finds an expectation away from the rest.
void match(std::vector<const Record*>& rest, std::vector<Open>& all,
           const std::function<bool(Open&, const Record&)>& fits) {
  std::vector<const Record*> unmatched;
  for (const Record* record : rest) {
    bool found = false;
    for (Open& open : all) {
      if (is_one_of(open, *record) && fits(open, *record)) {
        take_off(open, *record);
        found = true;
        break;
      }
    }
    if (!found) {
      unmatched.push_back(record);
    }
  }
  rest = std::move(unmatched);
}

std::string missing_text(const Open& open) {
  std::string out = cat("missing: ", open.missing, " of ", open.expected->text());
  int named = 0;
  for (const auto& [port, times] : open.missing_of) {
    if (times > 0 && ++named <= 5) {
      out +=
          cat(named == 1 ? "; client port " : ", ", port, times > 1 ? cat(" (", times, ")") : "");
    }
  }
  return out + (named > 5 ? ", …" : "");
}

} // namespace

Complaints wrong_fields(const Expectation& expected, const Record& record,
                        const std::vector<BlindSpot>& blind) {
  FieldCheck check(expected, record, blind);
  check.text("acceptwatch.stage", expected.stage);
  check.text("network.type", expected.network_type);
  check.text("network.transport", "tcp");
  check.text("server.address", expected.server_address);
  check.number("server.port", Range::exactly(expected.server_port));
  check.text("client.address", expected.client_address);
  if (!expected.clients.empty()) {
    check.number(client_port, Range{1, 65535});
  }
  if (expected.owner) {
    check.number("process.pid", Range::exactly(expected.owner->pid));
    check.text("process.name", expected.owner->name);
    if (expected.owner->owners != Owner::any_number) {
      check.number("acceptwatch.owners", Range::exactly(expected.owner->owners));
    }
  }
  if (expected.no_owner) {
    check.nothing("process.pid");
    check.nothing("process.name");
  }
  check.number("acceptwatch.accept_queue.depth", expected.accept_depth);
  check.number("acceptwatch.accept_queue.limit", expected.accept_limit);
  check.number("acceptwatch.syn_queue.depth", expected.syn_depth);
  check.number("acceptwatch.syn_queue.limit", expected.syn_limit);
  check.number("acceptwatch.retry", expected.retry);
  check.number("server.nat.port", expected.nat_port);
  check.text("acceptwatch.netfilter.hook", expected.netfilter_hook);
  check.text("acceptwatch.netfilter.table", expected.netfilter_table);
  check.text("acceptwatch.netfilter.chain", expected.netfilter_chain);
  check.text("event.reason", expected.end);
  check.stack(expected.kernel_function);
  return check.take();
}

bool is_early_warning(const Record& record) {
  return record.action == "queue_pressure" || record.action == "accept_stalled" ||
         record.action == "finding";
}

void Verdict::add(const Verdict& other) {
  failures.insert(failures.end(), other.failures.begin(), other.failures.end());
  blind.insert(blind.end(), other.blind.begin(), other.blind.end());
}

Verdict judge_counters(const WorldReport& world) {
  Verdict verdict;
  if (world.by_chance) {
    return verdict;
  }
  std::map<std::string, int64_t> explained = explained_counters(world.expected);
  for (const auto& [name, times] : world.beside) {
    explained[name] += times;
  }
  for (const auto& [name, measured] : world.measured) {
    if (measured != explained[name]) {
      verdict.failures.push_back(cat("the kernel's ", name, " moved by ", measured,
                                     ", the scenario explains ", explained[name]));
    }
  }
  if (!verdict.failures.empty()) {
    verdict.failures.push_back("all that moved: " + world.moved);
  }
  return verdict;
}

namespace {

// In a quiet world RSTs that the scenario puts beside its own answer ACKs that came late, to one
// end or the other: those of a listener have a record.
class LateAcks {
public:
  explicit LateAcks(const WorldReport& world) {
    const auto allowed = world.beside.find("OutRsts");
    left_ = world.quiet && allowed != world.beside.end() ? allowed->second : 0;
  }
  bool explain(const Record& record) {
    return record.action == "reset_sent" && record.reason == "handshake_invalid" && left_-- > 0;
  }

private:
  int64_t left_ = 0;
};

} // namespace

Verdict judge_records(const WorldReport& world, const std::vector<const Record*>& records,
                      const std::vector<BlindSpot>& blind, uint64_t& lost) {
  Verdict verdict;
  std::vector<Open> all = open_all(world, blind, verdict);
  std::vector<const Record*> rest;
  LateAcks late_acks(world);
  for (const Record* record : records) {
    const bool is_beside = !world.quiet && is_early_warning(*record);
    if (!is_beside && !late_acks.explain(*record)) {
      rest.push_back(record);
    }
  }
  // First those that are right in every field, so that a wrong one is not taken for a right one's
  // place.
  match(rest, all, [&](Open& open, const Record& record) {
    return wrong_fields(*open.expected, record, blind).empty();
  });
  std::set<std::string> said;
  match(rest, all, [&](Open& open, const Record& record) {
    std::string wrong;
    for (const std::string& complaint : wrong_fields(*open.expected, record, blind)) {
      wrong += (wrong.empty() ? "" : "; ") + complaint;
    }
    if (said.insert(wrong).second) {
      verdict.failures.push_back(cat("wrong: ", wrong, "\n         in: ", record.line));
    }
    return true;
  });
  for (const Record* record : rest) {
    verdict.failures.push_back("extra: " + record->line);
  }
  for (const Open& open : all) {
    if (open.expected->folds && !open.has_folded && !open.blind) {
      verdict.failures.push_back("nothing was folded: " + open.expected->text());
    }
    if (open.missing == 0 || open.blind) {
      continue;
    }
    if (open.missing <= lost) {
      lost -= open.missing;
    } else {
      verdict.failures.push_back(missing_text(open));
    }
  }
  return verdict;
}

namespace {

bool is_loss(const Expectation& expected) {
  return expected.action == "listen_drop" || expected.action == "reset_sent" ||
         expected.action == "handshake_expired";
}

} // namespace

Verdict judge_told(const WorldReport& world, const std::vector<BlindSpot>& blind,
                   const std::vector<BlindSpot>& told, const std::string& outcome) {
  Verdict verdict;
  for (const Expectation& expected : world.expected) {
    if (is_blind(blind, expected) && !is_blind(told, expected)) {
      verdict.failures.push_back("out of sight, and nobody was told: " + expected.text());
    }
    if (is_loss(expected) && expected.total() > 0 && outcome == "well") {
      verdict.failures.push_back("the summary says that all is well, in spite of " +
                                 expected.text());
    }
  }
  return verdict;
}

Verdict judge_totals(const WorldReport& world, const Summary& summary,
                     const std::vector<BlindSpot>& blind) {
  using Kind = std::pair<std::string, std::string>;
  std::map<Kind, uint64_t> wanted;
  std::map<Kind, uint64_t> unseen; // and may have been seen after all
  std::map<Kind, uint64_t> seen;
  for (const Expectation& expected : world.expected) {
    // A listener's own life is no occurrence to be counted.
    if (!expected.reason.empty()) {
      auto& sum = is_blind(blind, expected) ? unseen : wanted;
      sum[{expected.action, expected.reason}] += expected.total();
    }
  }
  for (const Total& total : summary.totals) {
    if (total.netns == world.netns && !total.reason.empty()) {
      seen[{total.action, total.reason}] += total.count;
    }
  }
  Verdict verdict;
  for (const auto& [kind, count] : wanted) {
    const uint64_t in_summary = seen[kind];
    const bool is_too_little = summary.is_complete && in_summary < count;
    if (is_too_little || in_summary > count + unseen[kind]) {
      verdict.failures.push_back(cat("the summary's total of ", kind.first, "/", kind.second,
                                     " is ", in_summary, ", not ", count));
    }
  }
  return verdict;
}

} // namespace acceptwatch::scenarios
