// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/counters.h"
#include "core/expectation.h"
#include "core/helper.h"
#include "core/netns.h"
#include "core/report.h"

namespace acceptwatch::scenarios {

// A network namespace of a scenario, with what was expected and counted in it.
class World {
public:
  World() : netns_(NetNamespace::create()) { report_.netns = netns_.inode(); }

  void enter() const { netns_.enter(); }
  const NetNamespace& netns() const { return netns_; }
  // From here on the counters are compared.
  void mark();
  void expect(Expectation expected) { report_.expected.push_back(std::move(expected)); }
  // The same as one more occurrence of an expectation that is there already, where that is so: for
  // thousands that come one by one.
  void expect_more(const Expectation& expected);
  void beside(const std::string& counter, int64_t times) { report_.beside[counter] += times; }
  void nothing_else() { report_.quiet = true; }
  // What is expected is what may happen, and nobody knows how often.
  void by_chance() { report_.by_chance = true; }
  // How far the counter has moved since mark(); the caller is in this namespace.
  int64_t moved(const std::string& counter) const;
  // Waits until the counter has moved exactly that far; more is a failure at once.
  void await_moved(const std::string& counter, int64_t times) const;
  // The same, as far as what is expected so far explains.
  void await_explained(const std::string& counter) const;
  WorldReport report() const { return report_; }
  WorldReport finish();

private:
  NetNamespace netns_;
  Counters before_;
  WorldReport report_;
};

// How a scenario is led by those who judge it.
struct Conductor {
  std::function<void()> await_go;
  // Returns when the records that are expected so far have come, or do not come.
  std::function<void(const Report&)> await_records;
  std::chrono::milliseconds pause{0}; // how long linger() takes
};

// What a scenario plays on. The part of a scenario before go() happens before acceptwatch is
// started, the rest while it is live.
class Stage {
public:
  explicit Stage(Conductor conductor);

  // Waits until acceptwatch is live; without acceptwatch, until it is this scenario's turn.
  void go();

  World& world() { return *worlds_.front(); }
  // Another namespace; the caller is in it afterwards.
  World& add_world();

  void expect(Expectation expected) { world().expect(std::move(expected)); }
  void beside(const std::string& counter, int64_t times) { world().beside(counter, times); }
  void await_moved(const std::string& counter, int64_t times) {
    world().await_moved(counter, times);
  }
  // Waits until acceptwatch has written what is expected so far: before something changes that no
  // event tells of, such as who holds a descriptor, and that must not change how earlier losses are
  // seen.
  void await_records();
  // Where acceptwatch only looks now and then, gives it time to look; no time otherwise.
  void linger() const;
  // After an accept() by another process: the tracepoint tier does not see it, and finds the new
  // holder when it next looks at all processes: within three seconds, if something happens.
  void let_it_read() const;
  // Of the scenario itself, not of acceptwatch: that the kernel did what was to be provoked.
  void claim(bool truth, const std::string& text);

  // This process, as the only holder of a listener.
  Owner self() const;

  Report finish();

private:
  Conductor conductor_;
  bool live_ = false;
  std::vector<std::unique_ptr<World>> worlds_;
  // One process that stays in each, where there are several: a namespace's counters can only be
  // read through a process that is in it.
  std::vector<Helper> residents_;
  std::vector<std::string> failures_;
};

struct Scenario {
  std::string name;
  std::string about;
  std::function<void(Stage&)> play;
  // Not beside others: it is so much at once that it could push their records out.
  bool alone = false;
  // Its listeners live long enough for a tier that polls: open_listener() and close_listener()
  // linger.
  bool lingers = false;
  // Played only when it is named: too long for an emulated CPU.
  bool on_request = false;
  // What it sets up changes what acceptwatch can see, in one that is alone: how the lists of blind
  // spots call that.
  std::string condition = {};
  // What acceptwatch is given besides, in one that is alone.
  std::vector<std::string> arguments = {};
};

} // namespace acceptwatch::scenarios
