// SPDX-License-Identifier: Apache-2.0
#include "core/runner.h"

#include <poll.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "core/agent.h"
#include "core/error.h"
#include "core/evidence.h"
#include "core/player.h"
#include "core/sight.h"
#include "core/stalls.h"
#include "core/tally.h"
#include "core/tapes.h"

namespace acceptwatch::scenarios {

namespace {

// How long records may take after the last loss; a tier that polls has an interval.
constexpr std::chrono::seconds settling_limit{15};

// A tier that polls looks once a second.
constexpr std::chrono::milliseconds two_polls{2300};

// More than that, and what depends on time may go another way: SYN-ACKs are sent again after a
// second.
constexpr std::chrono::milliseconds notable_stall{400};

bool polls(const Sight& sight) { return sight.check.tier == "poll"; }

class Run {
public:
  Run(const Options& options, const Sight& sight, Tally& tally)
      : options_(options), sight_(sight), tally_(tally) {}

  void play(const std::vector<Scenario>& scenarios);

private:
  void set_up(const std::vector<Scenario>& scenarios);
  void start_agent(const std::vector<std::string>& arguments);
  void play_all();
  void settle();
  void poll_once();
  void let_some_go();
  void let_some_go_on();
  bool is_complete(const Report& report) const;
  bool all_are(std::initializer_list<Player::State> states) const;
  void judge_all();
  void judge(const Player& player, uint64_t& lost);
  Verdict judge_whole_audit(uint64_t lost) const;
  std::vector<BlindSpot> told() const;
  Verdict judge_evidence(const WorldReport& world, uint64_t& lost) const;
  void keep_lines(bool is_good) const;
  std::string tape_path() const; // without its ending
  void release_all();

  const Options& options_;
  std::vector<Player> players_;
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<Evidence> evidence_;
  Sight sight_;
  Tally& tally_;
  bool is_alone_ = false;
};

void Run::set_up(const std::vector<Scenario>& scenarios) {
  std::vector<int> descriptors;
  const auto pause = polls(sight_) ? two_polls : std::chrono::milliseconds(0);
  for (const Scenario& scenario : scenarios) {
    players_.emplace_back(scenario, players_.size() + 1, descriptors, pause);
    descriptors.push_back(players_.back().fd());
  }
  while (!all_are({Player::State::waiting, Player::State::reported})) {
    poll_once();
  }
}

bool Run::all_are(std::initializer_list<Player::State> states) const {
  return std::all_of(players_.begin(), players_.end(), [&](const Player& player) {
    return std::find(states.begin(), states.end(), player.state()) != states.end();
  });
}

Sight look_if_asked(const Options& options, const std::string& condition = {}) {
  return options.provoke_only ? Sight{} : look(options, condition);
}

void Run::start_agent(const std::vector<std::string>& arguments) {
  AgentOptions agent{options_.acceptwatch, options_.tier,       "", arguments,
                     options_.without,     options_.look_budget};
  if (!options_.tapes.empty()) {
    agent.arguments.insert(agent.arguments.end(), {"--tape", tape_path() + ".tape"});
  }
  if (polls(sight_)) {
    // It knows the counters of its own namespace only.
    agent.netns = players_.front().netns_path();
  }
  evidence_ = std::make_unique<Evidence>(options_);
  agent_ = std::make_unique<Agent>(agent);
  agent_->await_ready();
}

void Run::poll_once() {
  std::vector<pollfd> waiting;
  std::vector<Player*> owners;
  for (Player& player : players_) {
    if (player.fd() >= 0) {
      waiting.push_back({player.fd(), POLLIN, 0});
      owners.push_back(&player);
    }
  }
  if (agent_) {
    waiting.push_back({agent_->fd(), POLLIN, 0});
  }
  ::poll(waiting.data(), waiting.size(), 100);
  for (size_t at = 0; at < owners.size(); ++at) {
    if (waiting[at].revents != 0) {
      owners[at]->take_messages();
    }
    owners[at]->check_time();
  }
  if (agent_ && waiting.back().revents != 0) {
    if (!agent_->take_lines()) {
      throw Failure("acceptwatch ended in the middle of the run: " + agent_->complaints());
    }
    evidence_->take(agent_->lines());
  }
}

void Run::let_some_go() {
  auto playing = std::count_if(players_.begin(), players_.end(), [](const Player& player) {
    return player.state() == Player::State::playing;
  });
  for (Player& player : players_) {
    if (playing >= options_.jobs) {
      return;
    }
    if (player.state() == Player::State::waiting) {
      player.let_go();
      ++playing;
    }
  }
}

bool Run::is_complete(const Report& report) const {
  return std::all_of(report.worlds.begin(), report.worlds.end(), [this](const WorldReport& world) {
    return evidence_->is_complete(world, sight_.blind);
  });
}

void Run::let_some_go_on() {
  for (Player& player : players_) {
    if (player.so_far() && (!evidence_ || is_complete(*player.so_far()) ||
                            Clock::now() - player.sync_since() > settling_limit)) {
      player.go_on();
    }
  }
}

void Run::play_all() {
  while (!all_are({Player::State::reported})) {
    let_some_go();
    let_some_go_on();
    poll_once();
  }
}

// Until every record that is expected has come, or nothing more can be hoped for.
void Run::settle() {
  const auto deadline = Clock::now() + settling_limit;
  const auto is_settled = [this](const Player& player) { return is_complete(player.report()); };
  while (Clock::now() < deadline && !std::all_of(players_.begin(), players_.end(), is_settled)) {
    poll_once();
  }
  agent_->stop();
  evidence_->take(agent_->lines());
}

std::string counts_of(const Report& report) {
  std::map<std::string, int64_t> sum;
  for (const WorldReport& world : report.worlds) {
    for (const auto& [name, times] : world.measured) {
      sum[name] += times;
    }
  }
  std::string out;
  for (const auto& [name, times] : sum) {
    if (times != 0) {
      out += cat(out.empty() ? "" : ", ", name, " ", times);
    }
  }
  return out.empty() ? "no counter moved" : out;
}

// What acceptwatch itself has said of its blindness: to whoever reads its records or, as long as no
// start record does, to whoever asks.
std::vector<BlindSpot> Run::told() const {
  return evidence_->blind_of_start().value_or(sight_.check.blind);
}

Verdict Run::judge_evidence(const WorldReport& world, uint64_t& lost) const {
  const auto& records = evidence_->of_namespace(world.netns);
  if (world.by_chance) {
    return judge_chance(world, records, sight_.blind, lost);
  }
  Verdict verdict = judge_records(world, records, sight_.blind, lost);
  verdict.add(judge_totals(world, evidence_->summary(), sight_.blind));
  verdict.add(judge_told(world, sight_.blind, told(), evidence_->summary().outcome));
  return verdict;
}

void Run::judge(const Player& player, uint64_t& lost) {
  const Report& report = player.report();
  if (report.outcome == Outcome::skipped) {
    tally_.take_skip(player.name(), report.why);
    return;
  }
  Verdict verdict;
  verdict.failures = report.failures;
  if (report.outcome == Outcome::failed) {
    verdict.failures.push_back(report.why);
  }
  size_t records = 0;
  for (const WorldReport& world : report.worlds) {
    verdict.add(judge_counters(world));
    if (evidence_) {
      records += evidence_->of_namespace(world.netns).size();
      verdict.add(judge_evidence(world, lost));
    }
  }
  tally_.take(player.name(), verdict,
              counts_of(report) + (evidence_ ? cat("; ", records, " records") : ""));
  if (options_.verbosity > 1 && evidence_) {
    for (const WorldReport& world : report.worlds) {
      for (const Record* record : evidence_->of_namespace(world.netns)) {
        std::cout << "       " << record->line << "\n";
      }
    }
  }
}

Verdict Run::judge_whole_audit(uint64_t lost) const {
  // What a tier that polls explains comes from the kernel's counters themselves.
  if (polls(sight_)) {
    return {};
  }
  std::vector<const WorldReport*> worlds;
  for (const Player& player : players_) {
    if (player.report().outcome != Outcome::done) {
      return {}; // what happened there is not known
    }
    for (const WorldReport& world : player.report().worlds) {
      worlds.push_back(&world);
    }
  }
  const auto records_of = [this](uint64_t netns) -> const std::vector<const Record*>& {
    return evidence_->of_namespace(netns);
  };
  return judge_audit(worlds, evidence_->summary().audit, records_of, sight_.blind, lost);
}

namespace {

// Whether a lack of memory is told apart depends on whether a BPF program of the LSM is attached
// (plan_functions.cpp), and scenarios that attach one may have begun since `check` was asked.
std::vector<BlindSpot> lasting(std::vector<BlindSpot> spots) {
  std::erase_if(spots, [](const BlindSpot& spot) {
    return spot.action == "listen_drop" && spot.reason == "memory" && spot.stage == "syn";
  });
  return spots;
}

// Where the line of the start record would be too long, absent fields are left out of it, all of
// them (output/blind.cpp): `check`, which was compared with the list before, has them.
std::vector<BlindSpot> told_in_start(std::vector<BlindSpot> spots,
                                     const std::vector<BlindSpot>& said) {
  const auto is_of_field = [](const BlindSpot& spot) { return !spot.field.empty(); };
  if (std::none_of(said.begin(), said.end(), is_of_field)) {
    std::erase_if(spots, is_of_field);
  }
  return spots;
}

} // namespace

void Run::judge_all() {
  // Only of a scenario that is alone is it known whose records were lost.
  const bool may_lose = players_.size() == 1 && is_alone_;
  uint64_t lost = may_lose && evidence_ ? evidence_->lost() : 0;
  for (const Player& player : players_) {
    judge(player, lost);
  }
  if (!evidence_) {
    return;
  }
  Verdict whole = evidence_->judge_stream(*agent_, may_lose);
  if (const auto said = evidence_->blind_of_start()) {
    const auto differ =
        differences(told_in_start(lasting(sight_.blind), *said), lasting(*said), "start");
    whole.failures.insert(whole.failures.end(), differ.begin(), differ.end());
  }
  whole.add(judge_whole_audit(may_lose ? evidence_->lost() : 0));
  tally_.take("whole_run", whole,
              cat(evidence_->record_count(), " lines, ", agent_->cpu_seconds(), " s of CPU time"));
  if (const uint64_t skipped = evidence_->skipped_runs()) {
    std::cout << "skips: the kernel did not run a program " << skipped << " times, as it counts\n";
  }
  if (options_.verbosity > 0) {
    for (const BlindSpot& spot : sight_.blind) {
      std::cout << "       check says blind: " << spot.text() << "\n";
    }
    std::cout << "       " << (agent_->lines().empty() ? "" : agent_->lines().back()) << "\n";
    std::cout << "       stderr: " << agent_->complaints() << "\n";
  }
}

void Run::keep_lines(bool is_good) const {
  if (!agent_) {
    return;
  }
  if (!options_.records.empty()) {
    append_lines(*agent_, options_.records);
  }
  if (!options_.tapes.empty()) {
    keep_tape(*agent_, tape_path(), is_good);
  }
}

std::string Run::tape_path() const {
  return cat(options_.tapes, "/", players_.size() == 1 ? players_.front().name() : "together");
}

void Run::release_all() {
  for (Player& player : players_) {
    player.release();
  }
}

void Run::play(const std::vector<Scenario>& scenarios) {
  is_alone_ = scenarios.front().alone;
  const Tally before = tally_;
  try {
    set_up(scenarios);
    if (!scenarios.front().condition.empty()) {
      sight_ = look_if_asked(options_, scenarios.front().condition);
    }
    if (!options_.provoke_only) {
      start_agent(scenarios.front().arguments);
    }
    play_all();
    if (agent_) {
      settle();
    }
    judge_all();
  } catch (const Failure& failure) {
    tally_.take("whole_run", {{failure.what()}, {}}, "");
  }
  // More than whole_run has passed, and nothing failed.
  keep_lines(tally_.failed() == before.failed() && tally_.passed() > before.passed() + 1);
  release_all();
}

// Which scenarios share one acceptwatch.
std::vector<std::vector<Scenario>> runs_of(const std::vector<Scenario>& scenarios,
                                           const Sight& sight) {
  std::vector<std::vector<Scenario>> runs(1);
  for (const Scenario& scenario : scenarios) {
    if (polls(sight)) {
      if (scenario.lingers) {
        runs.push_back({scenario});
      }
    } else if (scenario.alone) {
      runs.push_back({scenario});
    } else {
      runs.front().push_back(scenario);
    }
  }
  std::erase_if(runs, [](const auto& run) { return run.empty(); });
  return runs;
}

} // namespace

bool run_scenarios(const Options& options, const std::vector<Scenario>& scenarios) {
  Tally tally(options);
  const StallWatch stalls;
  const Sight sight = look_if_asked(options);
  if (sight.is_refused()) {
    tally.take_refusal(sight);
  } else {
    if (!options.provoke_only) {
      tally.take_comparison(sight);
    }
    if (options.provoke_only || sight.is_known()) {
      for (const std::vector<Scenario>& run : runs_of(scenarios, sight)) {
        Run(options, sight, tally).play(run);
      }
    }
  }
  if (stalls.longest() >= notable_stall) {
    std::cout << "stalls: a CPU stood still for up to " << stalls.longest().count() << " ms\n";
  }
  tally.print_sums();
  return tally.failed() == 0;
}

} // namespace acceptwatch::scenarios
