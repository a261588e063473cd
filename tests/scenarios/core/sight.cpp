// SPDX-License-Identifier: Apache-2.0
#include "core/sight.h"

#include <fnmatch.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "core/agent.h"
#include "core/blind_lists.h"
#include "core/error.h"
#include "core/hardship.h"

namespace acceptwatch::scenarios {

namespace {

std::string whole_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool has_cgroup2() {
  return whole_file("/proc/self/mountinfo").find(" - cgroup2 ") != std::string::npos;
}

bool is_locked_down() {
  return whole_file("/sys/kernel/security/lockdown").find("[confidentiality]") != std::string::npos;
}

std::vector<std::string> conditions_here(const Options& options, const std::string& changed) {
  std::vector<std::string> conditions;
  if (is_locked_down()) {
    conditions.emplace_back("lockdown");
  }
  if (options.without.contains("cgroup2") || !has_cgroup2()) {
    conditions.emplace_back("no_cgroup2");
  }
  if (options.without.contains("admin")) {
    conditions.emplace_back("no_admin");
  }
  for (const std::string& what : options.without) {
    if (const auto probe = probe_of(what)) {
      conditions.push_back("no_" + *probe);
    }
  }
  if (!changed.empty()) {
    conditions.push_back(changed);
  }
  return conditions;
}

std::string joined(const std::string& tier, const std::vector<std::string>& conditions) {
  std::string name = cat(kernel_series(), "-", tier);
  for (const std::string& condition : conditions) {
    name += "-" + condition;
  }
  return name;
}

const BlindList* list_called(const std::string& name) {
  const auto found =
      std::ranges::find_if(blind_lists, [&](const BlindList& list) { return list.name == name; });
  return found == blind_lists.end() ? nullptr : &*found;
}

// A condition has a list of its own only where that differs from the one without it.
const BlindList* find_list(const std::string& tier, std::vector<std::string> conditions) {
  for (;;) {
    if (const BlindList* list = list_called(joined(tier, conditions))) {
      return list;
    }
    if (conditions.empty()) {
      return nullptr;
    }
    conditions.pop_back();
  }
}

// What a run is blind to in addition whose events are asked for by --after-accept: fields that no
// event has; where accept() is not seen, some of them; and how processes end where that of
// listeners is not told either.
void add_after_accept(const std::string& tier, std::vector<BlindSpot>& list) {
  constexpr const char* action = "closed_after_accept";
  std::vector<BlindSpot> more;
  for (const BlindSpot& spot : list) {
    if (spot.action == "finding" && spot.reason.empty() && !spot.field.empty()) {
      more.push_back({action, "", "", spot.field, ""});
    }
    if (spot.action == "listener_closed" && spot.field == "event.reason") {
      more.push_back({action, "process_failed", "", "", ""});
    }
  }
  if (tier != "fentry") {
    more.push_back({action, "", "", "acceptwatch.early_close.seconds", ""});
  }
  list.insert(list.end(), more.begin(), more.end());
}

void write_list(const std::string& path, const std::vector<BlindSpot>& spots) {
  std::ofstream file(path);
  file << to_blind_list(spots);
  if (!file.flush()) {
    throw Failure("cannot write " + path);
  }
}

} // namespace

std::vector<std::string> differences(const std::vector<BlindSpot>& list,
                                     const std::vector<BlindSpot>& said, const std::string& who) {
  std::vector<std::string> complaints;
  const auto compare = [&](const auto& one, const auto& other, const std::string& what) {
    for (const BlindSpot& spot : one) {
      if (std::ranges::find(other, spot) == other.end()) {
        complaints.push_back(cat(what, ": ", spot.text()));
      }
    }
  };
  compare(said, list, who + " says blind, the list does not");
  compare(list, said, "the list says blind, " + who + " does not");
  return complaints;
}

std::string kernel_series() {
  utsname name{};
  must(::uname(&name), "uname");
  const std::string release = name.release;
  return release.substr(0, release.find_first_not_of("0123456789", release.find('.') + 1));
}

bool is_exact_race(const std::string& tier, const std::string& name) {
  std::istringstream lines(exact_races);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream row(line);
    std::string kernel;
    std::string on_tier;
    std::string pattern;
    row >> kernel >> on_tier >> pattern;
    if (kernel == kernel_series() && on_tier == tier &&
        ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) {
      return true;
    }
  }
  return false;
}

std::string Sight::trouble() const {
  if (is_refused()) {
    return cat("`acceptwatch check` exits with ", check.exit_status, ": ", check.complaints);
  }
  std::string text;
  for (const std::string& failure : failures) {
    text += (text.empty() ? "" : "\n       ") + failure;
  }
  return text;
}

Sight look(const Options& options, const std::string& condition) {
  Sight sight;
  // What is asked for by an option of its own is out of sight only then.
  const bool after_accept = condition == asks_after_accept;
  const auto asked =
      after_accept ? std::vector<std::string>{"--after-accept"} : std::vector<std::string>{};
  sight.check = run_check({options.acceptwatch, options.tier, "", asked, options.without, {}});
  if (sight.is_refused()) {
    return sight;
  }
  const std::string tier = options.tier == "auto" ? sight.check.tier : options.tier;
  if (sight.check.tier != tier) {
    sight.failures.push_back(cat("`check --probes ", tier, "` speaks of ", sight.check.tier));
  }
  const auto conditions = conditions_here(options, after_accept ? "" : condition);
  if (!options.write_blind.empty()) {
    sight.list = joined(tier, conditions);
    sight.blind = sight.check.blind;
    write_list(cat(options.write_blind, "/", sight.list, ".tsv"), sight.blind);
    return sight;
  }
  const BlindList* list = find_list(tier, conditions);
  if (list == nullptr) {
    sight.failures.push_back(cat("there is no list of what ", joined(tier, conditions),
                                 " is blind to: tests/scenarios/blind/record writes it"));
    return sight;
  }
  sight.list = list->name;
  sight.blind = parse_blind_list(list->text);
  if (after_accept) {
    add_after_accept(tier, sight.blind);
  }
  const auto differ = differences(sight.blind, sight.check.blind, "check");
  sight.failures.insert(sight.failures.end(), differ.begin(), differ.end());
  return sight;
}

std::vector<std::string> known_tiers() {
  std::vector<std::string> tiers;
  for (const std::string tier : {"fentry", "kprobe", "tracepoint"}) {
    if (list_called(joined(tier, {})) != nullptr) {
      tiers.push_back(tier);
    }
  }
  return tiers;
}

} // namespace acceptwatch::scenarios
