// SPDX-License-Identifier: Apache-2.0
#include <fnmatch.h>

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
#include "families/start_race.h"
#include "families/storm.h"
#include "self_test.h"

namespace {

using namespace acceptwatch::scenarios;

// In the order of the table, whatever the order of the names.
std::vector<Scenario> selected(const Options& options) {
  const auto connections = static_cast<size_t>(options.connections);
  const auto fit = [](const std::vector<std::string>& patterns, const std::string& name) {
    return std::ranges::any_of(patterns, [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    });
  };
  std::vector<Scenario> result;
  std::vector<std::string> unknown = options.names;
  unknown.insert(unknown.end(), options.except.begin(), options.except.end());
  for (const Scenario& scenario : all_scenarios(connections)) {
    const bool is_played_unasked =
        !scenario.on_request || is_exact_race(options.tier, scenario.name);
    const bool is_wanted =
        options.names.empty() ? is_played_unasked : fit(options.names, scenario.name);
    if (is_wanted && !fit(options.except, scenario.name)) {
      result.push_back(scenario);
    }
    std::erase_if(unknown,
                  [&](const std::string& pattern) { return fit({pattern}, scenario.name); });
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
    for (const Scenario& scenario : all_scenarios(static_cast<size_t>(options.connections))) {
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
    return run_start_race(options) ? 0 : 1;
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
