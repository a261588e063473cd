// SPDX-License-Identifier: Apache-2.0
// Who listens, or listened, where a packet went to.
#include "support/table_fixture.h"

#include <arpa/inet.h>

namespace acceptwatch {
namespace {

using unit::TableTest;

constexpr uint32_t netns = 4026531840;
constexpr uint16_t port = 9799;

Address address(int family, const char* text) {
  Address result;
  result.family = static_cast<uint16_t>(family);
  EXPECT_EQ(inet_pton(family, text, result.bytes.data()), 1);
  return result;
}

class TableOfPlaces : public TableTest {
protected:
  void listens(uint64_t id, int family, const char* text, uint32_t pid = 100) {
    auto record = unit::an_event(AW_LISTENER_OPENED);
    record.flags = AW_HAS_LISTENER;
    record.listener.id = id;
    record.listener.netns = netns;
    record.listener.port = port;
    record.listener.family = static_cast<__u16>(family);
    const auto bytes = address(family, text).bytes;
    std::copy(bytes.begin(), bytes.end(), std::begin(record.listener.address));
    record.pid = pid;
    unit::set_comm(record.comm, "java");
    table.opened(record);
  }

  [[nodiscard]] uint64_t at(int family, const char* text) const {
    const auto found = table.find_at(netns, address(family, text), port);
    EXPECT_LE(found.size(), 1U);
    return found.empty() ? 0 : found.front()->id;
  }

  [[nodiscard]] uint64_t former(int family, const char* text) const {
    const Listener* found = table.find_former(netns, address(family, text), port);
    return found ? found->id : 0;
  }
};

TEST_F(TableOfPlaces, TheVeryAddressComesBeforeAWildcard) {
  listens(1, AF_INET, "0.0.0.0");
  listens(2, AF_INET, "10.0.0.5");
  EXPECT_EQ(at(AF_INET, "10.0.0.5"), 2U);
  EXPECT_EQ(at(AF_INET, "10.0.0.6"), 1U);
}

TEST_F(TableOfPlaces, AWildcardOfIpv6TakesIpv4UnlessThereIsOneOfItsOwn) {
  listens(1, AF_INET6, "::");
  EXPECT_EQ(at(AF_INET, "10.0.0.5"), 1U);
  listens(2, AF_INET, "0.0.0.0");
  EXPECT_EQ(at(AF_INET, "10.0.0.5"), 2U);
  EXPECT_EQ(at(AF_INET6, "fd00::1"), 1U);
}

TEST_F(TableOfPlaces, AWildcardOfIpv4DoesNotTakeIpv6) {
  listens(1, AF_INET, "0.0.0.0");
  EXPECT_EQ(at(AF_INET6, "fd00::1"), 0U);
}

TEST_F(TableOfPlaces, AnotherPortOrNamespaceIsAnotherPlace) {
  listens(1, AF_INET, "0.0.0.0");
  EXPECT_TRUE(table.find_at(netns, address(AF_INET, "10.0.0.5"), port + 1).empty());
  EXPECT_TRUE(table.find_at(netns + 1, address(AF_INET, "10.0.0.5"), port).empty());
}

TEST_F(TableOfPlaces, MembersOfAGroupAreThereTogether) {
  listens(1, AF_INET6, "::", 100);
  listens(2, AF_INET, "0.0.0.0", 100);
  listens(3, AF_INET, "0.0.0.0", 100);
  listens(4, AF_INET, "0.0.0.0", 101);
  auto group = table.find_at(netns, address(AF_INET, "10.0.0.5"), port);
  ASSERT_EQ(group.size(), 3U);
  EXPECT_FALSE(have_one_owner(group));
  closed(4, 1000);
  group = table.find_at(netns, address(AF_INET, "10.0.0.5"), port);
  ASSERT_EQ(group.size(), 2U);
  EXPECT_TRUE(have_one_owner(group));
}

TEST_F(TableOfPlaces, AClosedListenerIsAFormerOne) {
  listens(1, AF_INET, "0.0.0.0");
  EXPECT_EQ(former(AF_INET, "10.0.0.5"), 0U);
  closed(1, 1000);
  EXPECT_EQ(at(AF_INET, "10.0.0.5"), 0U);
  EXPECT_EQ(former(AF_INET, "10.0.0.5"), 1U);
}

TEST_F(TableOfPlaces, OfSeveralFormerOnesTheLastCounts) {
  listens(1, AF_INET, "0.0.0.0");
  listens(2, AF_INET, "10.0.0.5");
  closed(2, 2000);
  closed(1, 1000);
  EXPECT_EQ(former(AF_INET, "10.0.0.5"), 2U);
  EXPECT_EQ(former(AF_INET, "10.0.0.6"), 1U);
}

TEST_F(TableOfPlaces, AnIdThatListensAgainElsewhereHasLeftItsPlace) {
  listens(1, AF_INET, "10.0.0.5");
  closed(1, 1000);
  listens(1, AF_INET, "10.0.0.6");
  EXPECT_EQ(former(AF_INET, "10.0.0.5"), 0U);
  EXPECT_EQ(at(AF_INET, "10.0.0.6"), 1U);
}

TEST_F(TableOfPlaces, FormerListenersAreForgottenWithTheRest) {
  listens(1, AF_INET, "10.0.0.5");
  closed(1, 1000);
  for (uint64_t id = 2; id <= ListenerTable::max_closed + 1; ++id) {
    listens(id, AF_INET, "10.0.0.6");
    closed(id, 1000 + id);
  }
  EXPECT_EQ(former(AF_INET, "10.0.0.5"), 0U);
}

} // namespace
} // namespace acceptwatch
