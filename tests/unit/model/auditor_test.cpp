// SPDX-License-Identifier: Apache-2.0
#include "model/auditor.h"

#include "host/proc_host.h"
#include "support/temp_tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

struct Kernel {
  uint64_t overflows = 0;
  uint64_t resets = 0;
  uint64_t received = 0;
};

std::vector<Counter> saw(uint32_t netns, uint64_t overflows) {
  Counter counter;
  counter.key.netns = netns;
  counter.key.action = AW_LISTEN_DROP;
  counter.key.reason = AW_ACCEPT_QUEUE_FULL;
  counter.count = overflows;
  return {counter};
}

class AuditorTest : public testing::Test {
protected:
  void process(uint32_t pid, uint32_t netns) {
    tree.link(std::to_string(pid) + "/ns/net", "net:[" + std::to_string(netns) + "]");
  }
  void counters(uint32_t pid, const Kernel& kernel) {
    const auto number = [](uint64_t value) { return std::to_string(value); };
    tree.file(std::to_string(pid) + "/net/netstat",
              "TcpExt: ListenOverflows ListenDrops\nTcpExt: " + number(kernel.overflows) + " " +
                  number(kernel.overflows) + "\n");
    tree.file(std::to_string(pid) + "/net/snmp",
              "Ip: InReceives OutRequests\nIp: " + number(kernel.received) + " 0\nTcp: OutRsts\n" +
                  "Tcp: " + number(kernel.resets) + "\n");
  }
  void exits(uint32_t pid) { std::filesystem::remove_all(tree.path(std::to_string(pid))); }

  void begin(
      Auditor& subject, const std::function<void()>& meanwhile = [] {}) {
    const auto mounted = host.mounted_namespaces();
    const auto before = host.net_counters(only, {}).readings;
    meanwhile();
    subject.begin(mounted, before, host.net_counters(only, before).readings);
  }
  void compare(Auditor& subject, const std::function<std::vector<Counter>()>& explained) {
    const auto last = subject.last_readings();
    const auto before = host.net_counters(only, last).readings;
    const auto counters = explained();
    subject.compare(before, counters, host.net_counters(only, last).readings);
  }
  /// "7 ListenOverflows 3/2 ListenDrops 3/2", kernel/explained
  static std::string text(const Audit& audit) {
    std::string out;
    for (const auto& [netns, gone, counters] : audit.namespaces) {
      out += (out.empty() ? "" : "; ") + std::to_string(netns) + (gone ? " gone" : "");
      for (const auto& counter : counters)
        out += fmt::format(" {} {}/{}", counter.name, counter.kernel, counter.explained);
    }
    return out;
  }

  unit::TempTree tree;
  ProcHost host{tree.root()};
  std::optional<uint32_t> only;
  Auditor auditor{{}, {}};
};

TEST_F(AuditorTest, WhatWasCountedBeforeTheStartIsNotCompared) {
  process(1, 7);
  counters(1, {.overflows = 10, .resets = 5});
  begin(auditor);
  counters(1, {.overflows = 12, .resets = 5});
  compare(auditor, [] { return saw(7, 2); });
  EXPECT_EQ(text(auditor.result(0, 0)), "7 ListenOverflows 2/2 ListenDrops 2/2");
}

TEST_F(AuditorTest, ACounterHasNotMovedOnlyWhereAllThatMatterWereRead) {
  process(1, 7);
  counters(1, {.overflows = 10});
  begin(auditor);
  compare(auditor, [] { return std::vector<Counter>{}; });
  const auto overflows = static_cast<size_t>(KernelCounter::listen_overflows);
  EXPECT_EQ(auditor.unexplained({7})[overflows], 0U);
  EXPECT_FALSE(auditor.unexplained({7, 8})[overflows]) << "8 was not read";
  counters(1, {.overflows = 13});
  compare(auditor, [] { return std::vector<Counter>{}; });
  EXPECT_EQ(auditor.unexplained({7, 8})[overflows], 3U) << "more cannot be less";
  EXPECT_EQ(auditor.result(0, 0).compared, 1U);
  EXPECT_EQ(auditor.result(0, 0).uncompared, 0U);
  compare(auditor, [] { return saw(7, 3); });
  EXPECT_EQ(auditor.unexplained({7})[overflows], 0U);
  exits(1);
  compare(auditor, [] { return saw(7, 3); });
  EXPECT_FALSE(auditor.unexplained({7})[overflows]) << "it is gone";
}

TEST_F(AuditorTest, QuietNamespacesAreLeftOut) {
  process(1, 7);
  counters(1, {.overflows = 10});
  begin(auditor);
  compare(auditor, [] { return std::vector<Counter>{}; });
  const auto audit = auditor.result(0, 0);
  EXPECT_TRUE(audit.namespaces.empty());
  EXPECT_TRUE(audit.sums.empty());
  EXPECT_EQ(audit.unread, 0U);
}

TEST_F(AuditorTest, ADifferenceIsShownInBothDirections) {
  process(1, 7);
  counters(1, {});
  begin(auditor);
  counters(1, {.overflows = 5});
  compare(auditor, [] { return saw(7, 3); });
  EXPECT_EQ(text(auditor.result(0, 0)), "7 ListenOverflows 5/3 ListenDrops 5/3");
  compare(auditor, [] { return saw(7, 6); });
  EXPECT_EQ(text(auditor.result(0, 0)), "7 ListenOverflows 5/6 ListenDrops 5/6");
}

TEST_F(AuditorTest, OnlyMoreThanWasExplainedHasACause) {
  process(1, 7);
  counters(1, {});
  begin(auditor);
  counters(1, {.overflows = 1, .resets = 2});
  compare(auditor, [] { return saw(7, 2); });
  const auto audit = auditor.result(9, 0);
  ASSERT_EQ(audit.sums.size(), 3U);
  EXPECT_EQ(audit.sums[0].why, "");
  EXPECT_NE(audit.sums[2].why.find("9 occurrences"), std::string::npos);
}

TEST_F(AuditorTest, WhatMovesWhileTheProbesGoLiveMayBeOnEitherSide) {
  process(1, 7);
  counters(1, {.overflows = 10});
  begin(auditor, [&] { counters(1, {.overflows = 14}); });
  counters(1, {.overflows = 20});
  for (const auto& [explained, kernel] : {std::pair{6, 6}, {8, 8}, {10, 10}, {5, 6}, {11, 10}}) {
    compare(auditor, [&] { return saw(7, static_cast<uint64_t>(explained)); });
    EXPECT_EQ(auditor.result(0, 0).sums[0].kernel, static_cast<uint64_t>(kernel)) << explained;
  }
}

TEST_F(AuditorTest, WhatMovesWhileTheProbesStopMayBeOnEitherSide) {
  process(1, 7);
  counters(1, {});
  begin(auditor);
  compare(auditor, [&] {
    counters(1, {.overflows = 3});
    return saw(7, 2);
  });
  EXPECT_EQ(text(auditor.result(0, 0)), "7 ListenOverflows 2/2 ListenDrops 2/2");
}

TEST_F(AuditorTest, ANewNamespaceHasCountedFromNothing) {
  begin(auditor);
  process(1, 7);
  counters(1, {.overflows = 2});
  compare(auditor, [] { return saw(7, 2); });
  EXPECT_EQ(text(auditor.result(0, 0)), "7 ListenOverflows 2/2 ListenDrops 2/2");
}

TEST_F(AuditorTest, AnyProcessOfANamespaceWillDo) {
  process(1, 7);
  process(2, 7);
  counters(2, {.overflows = 1});
  begin(auditor);
  counters(2, {.overflows = 2});
  compare(auditor, [] { return saw(7, 1); });
  EXPECT_EQ(text(auditor.result(0, 0)), "7 ListenOverflows 1/1 ListenDrops 1/1");
}

/// What a process shows that is in another namespace when it is read.
TEST_F(AuditorTest, AProcessThatMovedOnAndCameBackIsNotBelieved) {
  process(2, 7);
  counters(2, {.overflows = 5, .received = 100});
  begin(auditor);
  process(1, 7);
  counters(1, {.overflows = 900, .received = 4});
  counters(2, {.overflows = 6, .received = 101});
  compare(auditor, [] { return saw(7, 1); });
  EXPECT_EQ(text(auditor.result(0, 0)), "7 ListenOverflows 1/1 ListenDrops 1/1");
  EXPECT_EQ(auditor.result(0, 0).unread, 0U);
}

TEST_F(AuditorTest, AtTheStartTwoProcessesMustAgree) {
  process(1, 7);
  counters(1, {.overflows = 900, .received = 4});
  for (const uint32_t pid : {2U, 3U})
    process(pid, 7);
  counters(2, {.overflows = 5, .received = 100});
  tree.hard_link("2/net/netstat", "3/net/netstat");
  tree.hard_link("2/net/snmp", "3/net/snmp");
  begin(auditor);
  counters(2, {.overflows = 6, .received = 101});
  compare(auditor, [] { return saw(7, 1); });
  EXPECT_EQ(text(auditor.result(0, 0)), "7 ListenOverflows 1/1 ListenDrops 1/1");
}

TEST_F(AuditorTest, ANamespaceThatIsGoneKeepsItsLastComparisonAndIsInNoSum) {
  process(1, 7);
  counters(1, {});
  begin(auditor);
  counters(1, {.overflows = 2});
  compare(auditor, [] { return saw(7, 2); });
  exits(1);
  compare(auditor, [] { return saw(7, 5); });
  const auto audit = auditor.result(0, 0);
  EXPECT_EQ(text(audit), "7 gone ListenOverflows 2/2 ListenDrops 2/2");
  EXPECT_TRUE(audit.sums.empty());
  EXPECT_EQ(audit.unread, 0U);
}

TEST_F(AuditorTest, ANamespaceThatWasNeverReadIsCounted) {
  begin(auditor);
  compare(auditor, [] { return saw(7, 5); });
  EXPECT_EQ(auditor.result(0, 0).unread, 1U);
  EXPECT_TRUE(auditor.result(0, 0).namespaces.empty());
}

TEST_F(AuditorTest, ANumberThatAnotherNamespaceHasByNowIsNotCompared) {
  process(1, 7);
  counters(1, {.overflows = 0, .received = 100});
  begin(auditor);
  compare(auditor, [] { return saw(7, 0); });
  exits(1);
  process(2, 7);
  counters(2, {.overflows = 1, .received = 5});
  compare(auditor, [] { return saw(7, 1); });
  EXPECT_EQ(text(auditor.result(0, 0)), "");
  EXPECT_EQ(auditor.result(0, 0).unread, 1U);
}

TEST_F(AuditorTest, ANumberThatAnotherNamespaceHadBeforeItWasReadIsNotCompared) {
  begin(auditor);
  process(1, 7);
  counters(1, {.overflows = 1});
  compare(auditor, [] { return saw(7, 3); });
  EXPECT_EQ(text(auditor.result(0, 0)), "");
  EXPECT_EQ(auditor.result(0, 0).unread, 1U);
}

TEST_F(AuditorTest, AMountedNamespaceThatIsEnteredLaterIsNotCompared) {
  tree.file("self/mountinfo", "24 1 0:22 / /proc rw - proc proc rw\n"
                              "300 24 0:4 net:[7] /run/netns/blue rw - nsfs nsfs rw\n");
  begin(auditor);
  process(1, 7);
  counters(1, {.overflows = 50});
  compare(auditor, [] { return saw(7, 1); });
  EXPECT_EQ(text(auditor.result(0, 0)), "");
  EXPECT_EQ(auditor.result(0, 0).unread, 1U);
}

TEST_F(AuditorTest, SumsAreOverAllNamespacesAndDifferencesComeFirst) {
  process(1, 7);
  process(2, 8);
  counters(1, {});
  counters(2, {});
  begin(auditor);
  counters(1, {.overflows = 1});
  counters(2, {.overflows = 2});
  compare(auditor, [] {
    auto all = saw(7, 1);
    all.push_back(saw(8, 1)[0]);
    return all;
  });
  const auto audit = auditor.result(0, 0);
  EXPECT_EQ(text(audit),
            "8 ListenOverflows 2/1 ListenDrops 2/1; 7 ListenOverflows 1/1 ListenDrops 1/1");
  EXPECT_EQ(audit.sums[0].kernel, 3U);
  EXPECT_EQ(audit.sums[0].explained, 2U);
}

TEST_F(AuditorTest, OneNamespaceMayBeAskedFor) {
  process(1, 7);
  process(2, 8);
  counters(1, {});
  counters(2, {});
  only = 8;
  Auditor one{only, {}};
  begin(one);
  counters(1, {.overflows = 1});
  counters(2, {.overflows = 2});
  compare(one, [] { return saw(8, 2); });
  EXPECT_EQ(text(one.result(0, 0)), "8 ListenOverflows 2/2 ListenDrops 2/2");
}

} // namespace
} // namespace acceptwatch
