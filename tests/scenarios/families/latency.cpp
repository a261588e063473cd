// SPDX-License-Identifier: Apache-2.0
#include "families/latency.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>
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
constexpr std::array<Share, 3> shares{
    {{"p50_seconds", 0.5}, {"p90_seconds", 0.9}, {"p99_seconds", 0.99}}};

// Of figures that follow from some fifty looks at the queue. An emulated CPU now and then stands
// still for everybody, those who look included. (Whatever is wrong in the derivation makes a factor
// of two, at least.)
constexpr double derived_tolerance = 1.5;
// Of counts and times that begin with the first look at which somebody waits.
constexpr double rate_tolerance = 1.15;

// Listeners that come, accept one connection and go. The times of the few that accept are at hand
// on each CPU (bpf/accept.bpf.h), and those that come later have to take that place over.
void serve_at_many(TunPeers& tun) {
  constexpr uint16_t listeners = 300;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  must(::sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
  for (uint16_t i = 0; i < listeners; ++i) {
    const auto port = static_cast<uint16_t>(20001 + i);
    Listener listener({.port = port, .backlog = 1});
    Peer& peer = tun.add(static_cast<uint16_t>(1001 + i), port);
    shake(tun, peer);
    tun.send_ack(peer);
    const UniqueFd accepted = listener.accept();
  }
}

// Seconds that each connection waited, as the server saw it: all of a batch for about as long.
std::vector<double> serve(int connections) {
  TunPeers tun;
  serve_at_many(tun);
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

struct Steady {
  double mean_wait = 0;
  double per_second = 0;
};

// Connections that come one by one, each accepted after a time that is drawn for it, and after
// those before it. Long enough for looks at the queue.
Steady serve_steadily(int connections) {
  constexpr std::chrono::milliseconds between{10};
  struct Waiting {
    Clock::time_point entered;
    Clock::time_point due;
  };
  TunPeers tun;
  Listener listener({.port = server_port, .backlog = 1000});
  std::mt19937_64 random{1};
  std::deque<Waiting> queue;
  double waited = 0;
  uint16_t next_port = 10001;
  const auto begun = Clock::now();
  for (int left = connections; left > 0 || !queue.empty();) {
    if (left > 0) {
      Peer& peer = tun.add(next_port++, server_port);
      shake(tun, peer);
      tun.send_ack(peer);
      const auto entered = Clock::now();
      const auto due = entered + std::chrono::milliseconds(40 << random() % 4);
      queue.push_back({entered, queue.empty() ? due : std::max(due, queue.back().due)});
      --left;
    }
    for (; !queue.empty() && queue.front().due <= Clock::now(); queue.pop_front()) {
      const UniqueFd accepted = listener.accept();
      waited += std::chrono::duration<double>(Clock::now() - queue.front().entered).count();
    }
    std::this_thread::sleep_until(begun + (connections - left) * between);
    if (left == 0) {
      std::this_thread::sleep_for(between);
    }
  }
  const std::chrono::duration<double> time = Clock::now() - begun;
  return {waited / connections, connections / time.count()};
}

double quantile(const std::vector<double>& sorted, double share) {
  const auto rank = std::ceil(static_cast<double>(sorted.size()) * share);
  return sorted[static_cast<size_t>(rank) - 1];
}

// Threads that were in accept() before acceptwatch came, and go on from there. More than one
// connection for each, so that each is seen to call accept() again.
class EarlyServer {
public:
  static constexpr uint16_t port = 9797;
  static constexpr size_t threads = 4;
  static constexpr size_t connections = 3 * threads;

  EarlyServer() {
    must(::fcntl(listener_.fd(), F_SETFL, 0), "fcntl"); // accept() is to wait
    for (size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { serve(); });
    }
  }
  ~EarlyServer() {
    ::shutdown(listener_.fd(), SHUT_RDWR);
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }
  EarlyServer(const EarlyServer&) = delete;
  EarlyServer& operator=(const EarlyServer&) = delete;

  static void await_sleep() {
    wait_for("all threads to sleep in accept()", [] { return sleepers() == threads; });
  }
  void connect(TunPeers& tun) const {
    for (size_t i = 0; i < connections; ++i) {
      Peer& peer = tun.add(static_cast<uint16_t>(30001 + i), port);
      shake(tun, peer);
      tun.send_ack(peer);
      wait_for("the connection to be accepted", [&] { return accepted_ == i + 1; });
    }
  }

private:
  static size_t sleepers() {
    size_t found = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      long call = -1; // of a thread that sleeps in one; else it is no number
      std::ifstream(task.path() / "syscall") >> call;
      found += call == SYS_accept;
    }
    return found;
  }
  void serve() {
    for (;;) {
      const UniqueFd accepted(::accept(listener_.fd(), nullptr, nullptr));
      if (accepted.get() < 0) {
        return;
      }
      ++accepted_;
    }
  }

  Listener listener_{{.port = port, .backlog = 16}};
  std::atomic<size_t> accepted_ = 0;
  std::vector<std::thread> threads_;
};

rapidjson::Document record_of_server(const Agent& agent, uint16_t port = server_port) {
  for (const std::string& line : agent.lines()) {
    rapidjson::Document json;
    json.Parse(line.c_str());
    if (!json.HasParseError() && json["event"]["action"] == "listener" &&
        json["server"]["port"].GetUint() == port) {
      return json;
    }
  }
  throw Failure("no record names the server's listener");
}

void compare(const char* name, double reported, double own, double tolerance) {
  std::cout << "       " << name << ": " << reported << ", the server measured " << own << "\n";
  if (!(reported <= own * tolerance && reported >= own / tolerance))
    throw Failure(cat(name, " is ", reported, "; the server measured ", own));
}

void compare(const std::vector<double>& waited, const rapidjson::Value& report) {
  if (!report.HasMember("accepted") || report["accepted"].GetUint64() != waited.size())
    throw Failure(cat(waited.size(), " connections were accepted, which the summary does not say"));
  // They have all come and gone.
  for (const char* rate : {"arrivals", "accepts"}) {
    if (!report.HasMember("rates") ||
        std::lround(report["rates"][rate].GetDouble() * report["rates"]["seconds"].GetDouble()) !=
            std::lround(waited.size()))
      throw Failure(cat("rates.", rate, " does not add up to ", waited.size()));
  }
  for (const auto& [name, share] : shares) {
    compare(name, report["waits"][name].GetDouble(), quantile(waited, share), two_buckets);
  }
}

// What a tier says that does not see accept().
void compare(const Steady& own, const rapidjson::Value& report) {
  if (!report.HasMember("derived") || report.HasMember("accepted") || report.HasMember("waits"))
    throw Failure("what is derived is not marked so, or taken for more than it is");
  if (!report.HasMember("rates") || !report.HasMember("mean_wait_seconds"))
    throw Failure("the summary has neither rates nor a mean wait");
  compare("mean_wait_seconds", report["mean_wait_seconds"].GetDouble(), own.mean_wait,
          derived_tolerance);
  compare("rates.arrivals", report["rates"]["arrivals"].GetDouble(), own.per_second,
          rate_tolerance);
  compare("rates.accepts", report["rates"]["accepts"].GetDouble(), own.per_second, rate_tolerance);
}

} // namespace

bool run_latency(const Options& options) {
  const NetNamespace outside = NetNamespace::current();
  const NetNamespace netns = NetNamespace::create();
  try {
    const EarlyServer early;
    EarlyServer::await_sleep();
    const Check check = run_check({options.acceptwatch, options.tier, "", {}, options.without, {}});
    Agent agent({options.acceptwatch,
                 options.tier,
                 outside.path(),
                 {"--netns", std::to_string(netns.inode())},
                 options.without,
                 options.look_budget});
    agent.await_ready();
    if (check.tier == "fentry") {
      const auto waited = serve(options.latency);
      {
        TunPeers tun;
        early.connect(tun);
      }
      agent.stop();
      const auto early_record = record_of_server(agent, EarlyServer::port);
      if (const auto accepted = early_record["acceptwatch"]["listener"]["accepted"].GetUint64();
          accepted != EarlyServer::connections)
        throw Failure(cat(EarlyServer::connections, " connections were accepted by threads that ",
                          "were in accept() before; the summary says ", accepted));
      const auto record = record_of_server(agent);
      compare(waited, record["acceptwatch"]["listener"]);
    } else {
      const auto own = serve_steadily(options.latency);
      agent.stop();
      const auto record = record_of_server(agent);
      compare(own, record["acceptwatch"]["listener"]);
    }
  } catch (const Failure& failure) {
    std::cout << "FAIL latency\n       " << failure.what() << "\n0 passed, 1 failed, 0 skipped\n";
    return false;
  }
  std::cout << "ok   latency  (" << options.latency << " connections)\n"
            << "1 passed, 0 failed, 0 skipped\n";
  return true;
}

} // namespace acceptwatch::scenarios
