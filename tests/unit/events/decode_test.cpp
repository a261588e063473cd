// SPDX-License-Identifier: Apache-2.0
#include "events/decode.h"

#include "support/records.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using unit::an_event;

template <typename T> std::vector<std::byte> bytes_of(const T& record) {
  const auto* begin = reinterpret_cast<const std::byte*>(&record);
  return {begin, begin + sizeof(record)};
}

template <typename T> T a_record(aw_record_kind kind) {
  T record{};
  record.header.size = sizeof(record);
  record.header.kind = static_cast<__u8>(kind);
  return record;
}

TEST(Decode, CopiesAnEventOut) {
  auto event = an_event(AW_RESET_SENT);
  event.ends.client_port = 51812;
  event.listener.id = 4711;
  event.pid = 12;
  const auto decoded = decode(bytes_of(event));
  ASSERT_TRUE(decoded);
  const auto* copy = std::get_if<aw_event>(&*decoded);
  ASSERT_TRUE(copy);
  EXPECT_EQ(std::memcmp(copy, &event, sizeof(event)), 0);
}

TEST(Decode, CopiesAProcessOut) {
  auto process = a_record<aw_process>(AW_RECORD_PROCESS);
  process.pid = 42;
  process.change = AW_PROCESS_EXIT;
  const auto decoded = decode(bytes_of(process));
  ASSERT_TRUE(decoded);
  const auto* copy = std::get_if<aw_process>(&*decoded);
  ASSERT_TRUE(copy);
  EXPECT_EQ(std::memcmp(copy, &process, sizeof(process)), 0);
}

TEST(Decode, CopiesAHolderOut) {
  auto holder = a_record<aw_holder>(AW_RECORD_HOLDER);
  holder.fd = 7;
  holder.listener.port = 443;
  const auto decoded = decode(bytes_of(holder));
  ASSERT_TRUE(decoded);
  const auto* copy = std::get_if<aw_holder>(&*decoded);
  ASSERT_TRUE(copy);
  EXPECT_EQ(std::memcmp(copy, &holder, sizeof(holder)), 0);
}

TEST(Decode, NeedsNoAlignment) {
  auto bytes = bytes_of(an_event());
  bytes.insert(bytes.begin(), std::byte{0xFF});
  EXPECT_TRUE(decode(std::span{bytes}.subspan(1)));
}

TEST(Decode, IgnoresWhatFollowsTheRecord) {
  auto bytes = bytes_of(an_event());
  bytes.resize(bytes.size() + 8, std::byte{0xFF});
  EXPECT_TRUE(decode(bytes));
}

TEST(Decode, RefusesEveryTruncation) {
  const auto bytes = bytes_of(an_event());
  for (size_t size = 0; size < bytes.size(); ++size) {
    // A copy of exactly that size: a read past its end is caught by the sanitizer.
    const std::vector<std::byte> cut{bytes.begin(), bytes.begin() + static_cast<long>(size)};
    const auto decoded = decode(cut);
    ASSERT_FALSE(decoded) << size;
    EXPECT_FALSE(decoded.error().what.empty()) << size;
  }
}

TEST(Decode, RefusesASizeThatItsKindDoesNotHave) {
  std::vector<std::byte> bytes(1024);
  for (const aw_record_kind kind : {AW_RECORD_EVENT, AW_RECORD_PROCESS, AW_RECORD_HOLDER}) {
    const size_t right = kind == AW_RECORD_EVENT     ? sizeof(aw_event)
                         : kind == AW_RECORD_PROCESS ? sizeof(aw_process)
                                                     : sizeof(aw_holder);
    for (size_t size = 0; size <= bytes.size(); ++size) {
      aw_header header{};
      header.size = static_cast<__u16>(size);
      header.kind = static_cast<__u8>(kind);
      std::memcpy(bytes.data(), &header, sizeof(header));
      EXPECT_EQ(decode(bytes).has_value(), size == right) << kind << ' ' << size;
    }
  }
}

TEST(Decode, RefusesKindsThatItDoesNotKnow) {
  auto event = an_event();
  for (int kind = 0; kind < 256; ++kind) {
    if (kind >= AW_RECORD_EVENT && kind <= AW_RECORD_HOLDER)
      continue;
    event.header.kind = static_cast<__u8>(kind);
    EXPECT_FALSE(decode(bytes_of(event))) << kind;
  }
}

TEST(AddressOf, IsTheListenersOwn) {
  aw_listener listener{};
  listener.family = AF_INET;
  unit::set_address(listener.address, "10.0.0.5");
  EXPECT_EQ(to_string(address_of(listener)), "10.0.0.5");
  listener.family = AF_INET6;
  unit::set_address(listener.address, "2001:db8::1");
  EXPECT_EQ(to_string(address_of(listener)), "2001:db8::1");
}

/// inet_ntop(3) is the judge: zeros in all places, and what looks like IPv4.
TEST(ToString, IsThatOfInetNtop) {
  const auto expect_same = [](const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> expected{};
    ASSERT_TRUE(inet_ntop(address.family, address.bytes.data(), expected.data(), expected.size()));
    EXPECT_EQ(to_string(address), std::string_view{expected.data()});
  };
  for (const char* text : {"0.0.0.0", "255.255.255.255", "10.0.0.5", "::ffff:255.255.255.255",
                           "2001:db8:85a3:8d3:1319:8a2e:370:7348"})
    expect_same(unit::an_address(text));
  for (unsigned zeros = 0; zeros < 256; ++zeros) { // a bit for each group
    for (const uint8_t byte : {uint8_t{0x01}, uint8_t{0xFF}}) {
      Address address{AF_INET6, {}};
      for (size_t group = 0; group < 8; ++group) {
        if (!(zeros & 1U << group))
          address.bytes[2 * group] = address.bytes[2 * group + 1] = byte;
      }
      expect_same(address);
    }
  }
}

TEST(ToString, OfAnAddressOfNoFamilyIsEmpty) { EXPECT_EQ(to_string(Address{}), ""); }

TEST(CommOf, EndsAtTheFirstNul) {
  __u8 comm[AW_COMM_LEN];
  unit::set_comm(comm, "java");
  EXPECT_EQ(text_of(comm), "java");
  comm[5] = 'x'; // left over from a longer name
  EXPECT_EQ(text_of(comm), "java");
  unit::set_comm(comm, "");
  EXPECT_EQ(text_of(comm), "");
}

TEST(CommOf, TakesAllBytesWhereThereIsNoNul) {
  __u8 comm[AW_COMM_LEN];
  unit::set_comm(comm, "0123456789abcdef");
  EXPECT_EQ(text_of(comm), "0123456789abcdef");
}

} // namespace
} // namespace acceptwatch
