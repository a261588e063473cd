// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <iostream>

#include "core/error.h"
#include "core/options.h"
#include "core/runner.h"
#include "core/sight.h"
#include "families/exec_holder.h"
#include "families/families.h"
#include "families/incidents.h"
#include "families/latency.h"
#include "families/race.h"
#include "families/storm.h"
#include "self_test.h"

namespace {

using namespace acceptwatch::scenarios;

// In the order of the table, whatever the order of the names.
std::vector<Scenario> selected(const Options& options) {
  const auto contains = [](const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  std::vector<Scenario> result;
  std::vector<std::string> unknown = options.names;
  unknown.insert(unknown.end(), options.except.begin(), options.except.end());
  for (const Scenario& scenario : all_scenarios()) {
    const bool is_wanted =
        options.names.empty() ? !scenario.on_request : contains(options.names, scenario.name);
    if (is_wanted && !contains(options.except, scenario.name)) {
      result.push_back(scenario);
    }
    std::erase(unknown, scenario.name);
  }
  if (!unknown.empty()) {
    throw Failure("no scenario is called " + unknown.front() + "; --list names them");
  }
  return result;
}

int write_blind(const Options& options) {
  const Sight sight = look(options);
  if (sight.is_refused() && !options.allow_missing) {
    throw Failure(sight.trouble());
  }
  return 0;
}

int run(const Options& options) {
  if (options.list) {
    for (const Scenario& scenario : all_scenarios()) {
      std::cout << scenario.name << ": " << scenario.about
                << (scenario.on_request ? " (only when named)" : "") << "\n";
    }
    return 0;
  }
  if (options.tiers) {
    for (const std::string& tier : known_tiers()) {
      std::cout << tier << "\n";
    }
    return 0;
  }
  if (options.self_test) {
    return run_self_test() ? 0 : 1;
  }
  if (!options.write_blind.empty() && options.names.empty()) {
    return write_blind(options);
  }
  if (options.race > 0) {
    return run_race(options) ? 0 : 1;
  }
  if (options.latency > 0) {
    return run_latency(options) ? 0 : 1;
  }
  if (options.incidents) {
    return run_incidents(options) ? 0 : 1;
  }
  const std::vector<Scenario> scenarios =
      options.storm ? std::vector{storm_of(*options.storm, static_cast<size_t>(options.handshakes))}
                    : selected(options);
  bool all_passed = true;
  for (int round = 0; round < options.repeat; ++round) {
    all_passed = run_scenarios(options, scenarios) && all_passed;
  }
  return all_passed ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  become_holder_if_asked(argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(parse_options(argc, argv));
  } catch (const std::exception& failure) {
    std::cerr << "acceptwatch-scenarios: " << failure.what() << "\n";
    return 2;
  }
}
