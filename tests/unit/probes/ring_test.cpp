// SPDX-License-Identifier: Apache-2.0
#include "probes/ring.h"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <string>

namespace acceptwatch {
namespace {

/// A ring buffer as the kernel would fill it.
class RingTest : public testing::Test {
protected:
  static constexpr size_t size = 64;

  void write(const std::string& text, uint32_t flags = 0) {
    const auto length = static_cast<uint32_t>(text.size()) | flags;
    std::memcpy(&data[producer % size], &length, sizeof(length));
    for (size_t i = 0; i < text.size(); ++i)
      data[(producer + 8 + i) % size] = static_cast<std::byte>(text[i]);
    producer += 8 + (text.size() + 7) / 8 * 8;
  }

  std::string read() {
    std::string all;
    reader.read([&](std::span<const std::byte> record) {
      all.append(reinterpret_cast<const char*>(record.data()), record.size()).push_back('.');
    });
    return all;
  }

  unsigned long consumer = 0;
  unsigned long producer = 0;
  alignas(8) std::array<std::byte, size> data{};
  RingReader reader{&consumer, &producer, data};
};

TEST_F(RingTest, ThatIsEmptyHasNoRecords) { EXPECT_EQ(read(), ""); }

TEST_F(RingTest, HasItsRecordsInTheirOrderAndOnce) {
  write("one");
  write("and two");
  EXPECT_EQ(read(), "one.and two.");
  EXPECT_EQ(consumer, producer);
  EXPECT_EQ(read(), "");
}

TEST_F(RingTest, GoesAroundManyTimes) {
  for (size_t length = 1; length <= 48; ++length) {
    const std::string text(length, static_cast<char>('0' + length));
    write(text);
    EXPECT_EQ(read(), text + ".") << length;
  }
}

TEST_F(RingTest, StopsAtARecordThatIsBeingWritten) {
  write("one");
  const auto unfinished = producer;
  write("two", BPF_RINGBUF_BUSY_BIT);
  EXPECT_EQ(read(), "one.");
  producer = unfinished;
  write("two");
  EXPECT_EQ(read(), "two.");
}

TEST_F(RingTest, LeavesOutWhatWasDiscarded) {
  write("one", BPF_RINGBUF_DISCARD_BIT);
  write("two");
  EXPECT_EQ(read(), "two.");
}

TEST_F(RingTest, GivesRoomBackRecordByRecord) {
  write("one");
  write("two");
  std::string freed;
  reader.read([&](std::span<const std::byte>) { freed += std::to_string(consumer) + "."; });
  EXPECT_EQ(freed, "0.16.");
}

} // namespace
} // namespace acceptwatch
