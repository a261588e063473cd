// SPDX-License-Identifier: Apache-2.0
#include "families/start_race.h"

#include <unistd.h>

#include <iostream>

#include "core/agent.h"
#include "core/counters.h"
#include "core/error.h"
#include "core/evidence.h"
#include "core/helper.h"
#include "core/netns.h"
#include "core/sight.h"
#include "core/socket.h"
#include "core/tun_peers.h"
#include "core/wait.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9114;
constexpr uint16_t closed_port = 9115;

// A full listener and a closed port, ready before acceptwatch starts: one packet each is all that a
// loss takes.
class Trap {
public:
  Trap() : listener_({.port = server_port, .backlog = 1}) { fill(tun_, listener_, 20001); }

  const NetNamespace& outside() const { return outside_; }

  // Sends the packets first and waits afterwards.
  WorldReport lose(int round) {
    const Counters before = Counters::read();
    Peer& dropped = tun_.add(static_cast<uint16_t>(30000 + 2 * round), server_port);
    Peer& refused = tun_.add(static_cast<uint16_t>(30001 + 2 * round), closed_port);
    tun_.send_syn(dropped);
    tun_.send_syn(refused);
    tun_.await_reset(refused);
    wait_for("the SYN to be dropped",
             [&] { return Counters::read().since(before).at("ListenDrops") == 1; });
    return expected(dropped.port, refused.port);
  }

private:
  WorldReport expected(uint16_t dropped, uint16_t refused) const {
    WorldReport world;
    world.netns = netns_.inode();
    const Owner self{::getpid(), "aw-race", 1};
    Expectation drop = accept_queue_full("syn", self, listener_, {dropped});
    world.expected.push_back(drop);
    Expectation reset = at_listener("reset_sent", "no_listener", self, closed_port, {refused});
    reset.owner.reset();
    reset.no_owner = true;
    world.expected.push_back(reset);
    return world;
  }

  NetNamespace outside_ = NetNamespace::current();
  NetNamespace netns_ = NetNamespace::create();
  TunPeers tun_;
  Listener listener_;
};

Verdict race_once(const Options& options, Trap& trap, int round,
                  const std::vector<BlindSpot>& blind) {
  Evidence evidence(options);
  // Started outside: acceptwatch is not to find the namespace around itself.
  Agent agent({options.acceptwatch,
               options.tier,
               trap.outside().path(),
               {},
               options.without,
               options.look_budget});
  agent.await_line_count(1);
  const WorldReport world = trap.lose(round);
  agent.stop();
  evidence.take(agent.lines());
  Verdict verdict = evidence.judge_stream(agent, false);
  uint64_t lost = 0;
  verdict.add(judge_records(world, evidence.of_namespace(world.netns), blind, lost));
  return verdict;
}

} // namespace

bool run_start_race(const Options& options) {
  const Sight sight = look(options);
  if (!sight.failures.empty() || sight.is_refused()) {
    throw Failure(sight.trouble());
  }
  set_process_name("aw-race");
  Trap trap;
  int failed = 0;
  std::vector<std::string> blind;
  for (int round = 0; round < options.race; ++round) {
    Verdict verdict;
    try {
      verdict = race_once(options, trap, round, sight.blind);
    } catch (const Failure& failure) {
      verdict.failures.emplace_back(failure.what());
    }
    failed += verdict.failures.empty() ? 0 : 1;
    blind = verdict.blind;
    for (const std::string& why : verdict.failures) {
      std::cout << "FAIL start_race, round " << round + 1 << "\n       " << why << "\n";
    }
  }
  for (const std::string& unseen : blind) {
    std::cout << "       blind: " << unseen << "\n";
  }
  if (failed == 0) {
    std::cout << "ok   start_race  (" << options.race << " rounds)\n";
  }
  std::cout << options.race - failed << " passed, " << failed << " failed, 0 skipped" << std::endl;
  return failed == 0;
}

} // namespace acceptwatch::scenarios
