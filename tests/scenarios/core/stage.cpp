// SPDX-License-Identifier: Apache-2.0
#include "core/stage.h"

#include <unistd.h>

#include <thread>

#include "core/error.h"
#include "core/helper.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

void World::mark() { before_ = Counters::read(); }

int64_t World::moved(const std::string& counter) const {
  return Counters::read().since(before_).at(counter);
}

void World::expect_more(const Expectation& expected) {
  for (Expectation& known : report_.expected) {
    if (known.absorb(expected)) {
      return;
    }
  }
  expect(expected);
}

void World::await_moved(const std::string& counter, int64_t times) const {
  int64_t now = 0;
  const auto has_moved = [&] {
    now = moved(counter);
    return now >= times;
  };
  try {
    wait_for(cat(counter, " to move by ", times), has_moved);
  } catch (const Failure& failure) {
    throw Failure(cat(failure.what(), "; it moved by ", now));
  }
  if (now > times) {
    throw Failure(cat(counter, " moved by ", now, ", not by ", times));
  }
}

void World::await_explained(const std::string& counter) const {
  const auto found = report_.beside.find(counter);
  const int64_t beside = found == report_.beside.end() ? 0 : found->second;
  await_moved(counter, explained_counters(report_.expected)[counter] + beside);
}

WorldReport World::finish() {
  enter();
  const Counters moved = Counters::read().since(before_);
  for (const auto* names : {&audited_counters, &other_counters}) {
    for (const std::string& name : *names) {
      report_.measured[name] = moved.at(name);
    }
  }
  for (const auto& [name, times] : moved.all()) {
    if (times != 0)
      report_.moved += cat(report_.moved.empty() ? "" : " ", name, "=", times);
  }
  return report_;
}

Stage::Stage(Conductor conductor) : conductor_(std::move(conductor)) {
  worlds_.push_back(std::make_unique<World>());
}

void Stage::go() {
  conductor_.await_go();
  live_ = true;
  // Backwards, so that the first world is the current one in the end.
  for (auto world = worlds_.rbegin(); world != worlds_.rend(); ++world) {
    (*world)->enter();
    (*world)->mark();
  }
}

World& Stage::add_world() {
  const auto settle = [this] {
    residents_.emplace_back("aw-resident", [](const Channel& stage) { stage.await_word(); });
  };
  if (residents_.empty()) {
    settle(); // this process is about to leave its first world
  }
  worlds_.push_back(std::make_unique<World>());
  settle();
  worlds_.back()->mark();
  return *worlds_.back();
}

void Stage::await_records() {
  Report so_far;
  for (const auto& world : worlds_)
    so_far.worlds.push_back(world->report());
  conductor_.await_records(so_far);
}

void Stage::let_it_read() const { std::this_thread::sleep_for(std::chrono::seconds(5)); }

void Stage::linger() const { std::this_thread::sleep_for(conductor_.pause); }

void Stage::claim(bool truth, const std::string& text) {
  if (!truth) {
    failures_.push_back("not so: " + text);
  }
}

Owner Stage::self() const { return {::getpid(), process_name(), 1}; }

Report Stage::finish() {
  if (!live_) {
    throw Failure("the scenario never called go()");
  }
  Report report;
  report.failures = failures_;
  for (const auto& world : worlds_) {
    report.worlds.push_back(world->finish());
  }
  return report;
}

} // namespace acceptwatch::scenarios
