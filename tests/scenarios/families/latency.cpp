// SPDX-License-Identifier: Apache-2.0
#include "families/latency.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <random>
#include <thread>

#include <rapidjson/document.h>

#include "core/agent.h"
#include "core/error.h"
#include "core/netns.h"
#include "core/socket.h"
#include "core/tun_peers.h"
#include "core/wait.h"
#include "families/steps.h"

namespace acceptwatch::scenarios {

namespace {

constexpr uint16_t server_port = 9798;
constexpr int batch = 50;
// A bucket's bounds are at most this far apart, and one more bucket may lie between what both
// measured, a system call apart.
constexpr double two_buckets = 1.5 * 1.5;

struct Share {
  const char* name;
  double share;
};
constexpr std::array<Share, 3> shares{{{"p50_seconds", 0.5}, {"p90_seconds", 0.9}, {"p99_seconds", 0.99}}};

// Seconds that each connection waited, as the server saw it.
std::vector<double> serve(int connections) {
  TunPeers tun;
  Listener listener({.port = server_port, .backlog = 2 * batch});
  std::mt19937_64 random{1};
  std::vector<double> waited;
  uint16_t next_port = 10001;
  while (static_cast<int>(waited.size()) < connections) {
    std::vector<Clock::time_point> entered;
    for (int i = 0; i < batch; ++i) {
      Peer& peer = tun.add(next_port++, server_port);
      shake(tun, peer);
      tun.send_ack(peer); // its way through the kernel ends in the accept queue
      entered.push_back(Clock::now());
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4 ? 0 : 1000 << random() % 6));
    for (const auto since : entered) {
      const UniqueFd accepted = listener.accept();
      waited.push_back(std::chrono::duration<double>(Clock::now() - since).count());
    }
  }
  std::ranges::sort(waited);
  return waited;
}

double quantile(const std::vector<double>& sorted, double share) {
  const auto rank = std::ceil(static_cast<double>(sorted.size()) * share);
  return sorted[static_cast<size_t>(rank) - 1];
}

rapidjson::Document summary_of(const Agent& agent) {
  rapidjson::Document json;
  json.Parse(agent.lines().back().c_str());
  if (json.HasParseError() || !json["acceptwatch"].HasMember("listeners"))
    throw Failure("the last line is no summary: " + agent.lines().back());
  return json;
}

void compare(const std::vector<double>& waited, const rapidjson::Document& summary) {
  const auto& listeners = summary["acceptwatch"]["listeners"];
  if (listeners.Size() != 1)
    throw Failure(cat("the summary has ", listeners.Size(), " listeners"));
  const auto& report = listeners[0];
  if (!report.HasMember("accepted") || report["accepted"].GetUint64() != waited.size())
    throw Failure(cat(waited.size(), " connections were accepted, which the summary does not say"));
  for (const auto& [name, share] : shares) {
    const double own = quantile(waited, share);
    const double reported = report["waits"][name].GetDouble();
    std::cout << "       " << name << ": " << reported << ", the server measured " << own << "\n";
    if (reported > own * two_buckets || reported < own / two_buckets)
      throw Failure(cat(name, " is ", reported, "; the server measured ", own));
  }
}

} // namespace

bool run_latency(const Options& options) {
  const NetNamespace outside = NetNamespace::current();
  const NetNamespace netns = NetNamespace::create();
  try {
    Agent agent({options.acceptwatch, options.tier, outside.path(),
                 {"--netns", std::to_string(netns.inode())}});
    agent.await_ready();
    const auto waited = serve(options.latency);
    agent.stop();
    compare(waited, summary_of(agent));
  } catch (const Failure& failure) {
    std::cout << "FAIL latency\n       " << failure.what() << "\n0 passed, 1 failed, 0 skipped\n";
    return false;
  }
  std::cout << "ok   latency  (" << options.latency << " connections)\n1 passed, 0 failed, 0 skipped\n";
  return true;
}

} // namespace acceptwatch::scenarios
