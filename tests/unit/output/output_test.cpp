// SPDX-License-Identifier: Apache-2.0
// What finds no room is counted, and told once there is room again.
#include "output/output.h"

#include "base/text.h"
#include "output/ndjson.h"
#include "support/descriptors.h"
#include "support/json.h"
#include "support/records.h"

#include <csignal>

namespace acceptwatch {
namespace {

using namespace unit;

class OutputTest : public testing::Test {
protected:
  OutputTest() { std::signal(SIGPIPE, SIG_IGN); }

  /// Records until one finds no room, and some more.
  void overflow() {
    Event event = contract_event();
    event.count = 2;
    while (output.lost() == 0) {
      output.take(event);
      taken += event.count;
    }
    for (int i = 0; i < 4; ++i) {
      output.take(event);
      taken += event.count;
    }
  }

  /// Everything that comes, until nothing is left.
  std::vector<std::string> lines() {
    std::string text = read;
    while (!output.flush())
      text += read_waiting(pipe.reader.get());
    text += read_waiting(pipe.reader.get());
    std::vector<std::string> found;
    for (const auto line : split(text, '\n')) {
      if (!line.empty())
        found.push_back(std::string{line} + '\n');
    }
    return found;
  }

  /// How many occurrences the records of that action stand for.
  static uint64_t sum_of(const std::vector<std::string>& lines, const std::string& action) {
    uint64_t sum = 0;
    for (const auto& line : lines) {
      const auto document = parse_line(line);
      const auto* count =
          at(document, action == "lost" ? "/acceptwatch/lost/count" : "/acceptwatch/count");
      if (text_at(document, "/event/action") == action)
        sum += count ? count->GetUint64() : 1;
    }
    return sum;
  }

  static Outlet to_pipe(int fd) {
    const Redirected redirected{fd};
    return std::move(*Outlet::open("-"));
  }

  Pipe pipe;
  Output output{std::make_unique<NdjsonFormatter>(), to_pipe(pipe.writer.get())};
  uint64_t taken = 0;
  std::string read; ///< so far
};

TEST_F(OutputTest, TakesRecordsOfAllKinds) {
  output.take(Start{});
  output.take(contract_event());
  output.take(Lost{0, "ring_buffer", 3});
  output.take(Snapshot{});
  const auto all = lines();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(text_at(parse_line(all[3]), "/event/action"), "summary");
  EXPECT_EQ(output.lost(), 0U);
}

TEST_F(OutputTest, WhatDidNotFitIsToldOnceThereIsRoomThoughNothingHappensAnyMore) {
  overflow();
  EXPECT_FALSE(output.flush());
  const auto all = lines();
  const auto last = parse_line(all.back());
  EXPECT_EQ(text_at(last, "/event/action"), "lost");
  EXPECT_EQ(text_at(last, "/acceptwatch/lost/where"), "output") << all.back();
  EXPECT_EQ(sum_of(all, "lost"), output.lost());
  EXPECT_EQ(sum_of(all, "listen_drop") + sum_of(all, "lost"), taken);
}

TEST_F(OutputTest, WhatDidNotFitIsToldBeforeTheNextRecord) {
  overflow();
  static_cast<void>(output.flush());
  read = read_waiting(pipe.reader.get());
  static_cast<void>(output.flush());
  const uint64_t lost = output.lost();
  output.take(contract_event());
  EXPECT_EQ(output.lost(), lost);
  const auto all = lines();
  EXPECT_EQ(text_at(parse_line(all[all.size() - 2]), "/event/action"), "lost");
  EXPECT_EQ(text_at(parse_line(all[all.size() - 1]), "/event/action"), "listen_drop");
  EXPECT_EQ(sum_of(all, "lost"), lost);
}

TEST_F(OutputTest, ALossThatItCouldNotTellIsItsOwn) {
  overflow();
  const uint64_t before = output.lost();
  output.take(Lost{0, "ring_buffer", 7});
  EXPECT_EQ(output.lost(), before + 7);
  EXPECT_EQ(sum_of(lines(), "lost"), before + 7);
}

TEST_F(OutputTest, TheSummaryIsWrittenHoweverMuchWaits) {
  overflow();
  output.take(Snapshot{});
  const auto all = lines();
  EXPECT_EQ(text_at(parse_line(all[all.size() - 1]), "/event/action"), "summary");
  EXPECT_EQ(text_at(parse_line(all[all.size() - 2]), "/event/action"), "lost");
  EXPECT_EQ(sum_of(all, "listen_drop") + sum_of(all, "lost"), taken);
}

TEST_F(OutputTest, NothingIsLostToAReaderThatIsGone) {
  pipe.reader = {};
  for (int i = 0; i < 5000; ++i) {
    output.take(contract_event());
    EXPECT_TRUE(output.flush());
  }
  EXPECT_EQ(output.lost(), 0U);
}

} // namespace
} // namespace acceptwatch
