// SPDX-License-Identifier: Apache-2.0
#include "families/incidents.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <thread>

#include <rapidjson/document.h>

#include "core/agent.h"
#include "core/error.h"
#include "core/netns.h"
#include "core/sight.h"
#include "families/scene.h"

namespace acceptwatch::scenarios {

namespace {

// `explain`: nothing is wrong; or nothing was seen, but not everything could be, which older
// kernels and handshakes that nobody began make so.
constexpr int nothing_wrong = 5;
constexpr int nothing_seen = 6;
// More than it takes to look at the queues, twice, and to judge.
constexpr std::chrono::seconds time_to_look{4};
constexpr std::chrono::seconds time_to_explain{60};

struct Explanation {
  int exit_status = -1;
  std::set<std::string> findings;
  std::vector<pid_t> owners;
  std::string text;
};

Explanation parse_explanation(const Agent& agent) {
  Explanation explanation;
  explanation.exit_status = agent.exit_status();
  if (agent.lines().size() != 1)
    throw Failure(cat("explain wrote ", agent.lines().size(), " lines: ", agent.complaints()));
  explanation.text = agent.lines().front();
  rapidjson::Document json;
  json.Parse(explanation.text.c_str());
  if (json.HasParseError() || !json.HasMember("findings"))
    throw Failure("explain wrote no explanation: " + explanation.text);
  for (const auto& finding : json["findings"].GetArray()) {
    explanation.findings.insert(finding["name"].GetString());
    if (finding.HasMember("pid"))
      explanation.owners.push_back(finding["pid"].GetInt());
  }
  return explanation;
}

Explanation explain(const Options& options, const Incident& incident, Scene& scene,
                    const NetNamespace& netns, const NetNamespace& outside) {
  Agent agent({options.acceptwatch,
               options.tier,
               outside.path(),
               {"explain", std::to_string(Scene::port), "--netns", std::to_string(netns.inode()),
                "-d", std::to_string(time_to_explain.count())},
               options.without,
               options.look_budget});
  agent.await_ready();
  incident.play(scene);
  // Where nothing is wrong there is no sign of that.
  if (incident.findings.empty())
    std::this_thread::sleep_for(time_to_look);
  else
    agent.await_end(time_to_explain + time_to_look);
  agent.stop();
  return parse_explanation(agent);
}

std::string list(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "nothing" : text;
}

void judge(const Incident& incident, const Scene& scene, const Explanation& explanation) {
  const bool complete = std::ranges::includes(explanation.findings, incident.findings);
  std::set<std::string> expected = incident.findings;
  expected.insert(incident.companions.begin(), incident.companions.end());
  if (!complete || !std::ranges::includes(expected, explanation.findings))
    throw Failure(cat("it is ", list(incident.findings), "; explained as ",
                      list(explanation.findings), "\n       ", explanation.text));
  const bool well =
      explanation.exit_status == nothing_wrong || explanation.exit_status == nothing_seen;
  if (incident.findings.empty() ? !well : explanation.exit_status != 0)
    throw Failure(cat("explain exits with ", explanation.exit_status));
  for (const pid_t pid : explanation.owners) {
    if (scene.owner() && pid != *scene.owner())
      throw Failure(cat("the owner is ", *scene.owner(), ", not ", pid));
  }
}

// What is found by looking at the queues while no packet comes.
bool needs_looks(const Incident& incident) {
  static const std::set<std::string> seen_by_looks{"stuck_acceptor", "slow_acceptor",
                                                   "burst_larger_than_backlog",
                                                   "descriptors_exhausted", "host_files_exhausted"};
  return std::ranges::any_of(incident.findings,
                             [](const auto& name) { return seen_by_looks.contains(name); });
}

bool is_hidden(const Incident& incident, const std::vector<BlindSpot>& blind) {
  Expectation needed;
  needed.action = "accept_stalled";
  if (needs_looks(incident) && is_blind(blind, needed))
    return true;
  if (incident.action.empty())
    return false;
  needed.action = incident.action;
  needed.reason = incident.reason;
  needed.stage = "syn"; // it begins with one, whatever else comes
  return is_blind(blind, needed);
}

void play(const Options& options, const Incident& incident, uint64_t seed,
          const NetNamespace& outside) {
  outside.enter();
  const NetNamespace netns = NetNamespace::create();
  Scene scene(seed);
  incident.prepare(scene);
  judge(incident, scene, explain(options, incident, scene, netns, outside));
}

std::vector<Incident> wanted(const Options& options) {
  auto incidents = all_incidents();
  for (const auto& name : options.names) {
    if (std::ranges::find(incidents, name, &Incident::name) == incidents.end())
      throw Failure("no incident is called " + name);
  }
  std::erase_if(incidents, [&](const Incident& incident) {
    const bool is_named = std::ranges::find(options.names, incident.name) != options.names.end();
    return options.names.empty() ? incident.on_request : !is_named;
  });
  return incidents;
}

} // namespace

bool run_incidents(const Options& options) {
  const Sight sight = look(options);
  if (!sight.failures.empty() || sight.is_refused())
    throw Failure(sight.trouble());
  set_process_name("aw-incidents");
  const NetNamespace outside = NetNamespace::current();
  std::mt19937_64 random{*options.incidents};
  auto incidents = wanted(options);
  std::ranges::shuffle(incidents, random);
  if (options.drawn > 0 && static_cast<size_t>(options.drawn) < incidents.size())
    incidents.erase(incidents.begin() + options.drawn, incidents.end());
  int failed = 0;
  int passed = 0;
  for (const Incident& incident : incidents) {
    const uint64_t seed = random();
    if (is_hidden(incident, sight.blind)) {
      std::cout << "ok   " << incident.name << "  (blind)\n";
      ++passed;
      continue;
    }
    try {
      play(options, incident, seed, outside);
      std::cout << "ok   " << incident.name << "  (" << list(incident.findings) << ")\n";
      ++passed;
    } catch (const Failure& failure) {
      std::cout << "FAIL " << incident.name << "\n       " << failure.what() << "\n";
      ++failed;
    }
  }
  std::cout << passed << " passed, " << failed << " failed, 0 skipped" << std::endl;
  return failed == 0;
}

} // namespace acceptwatch::scenarios
