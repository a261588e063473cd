// SPDX-License-Identifier: Apache-2.0
#include "model/tape_names.h"

#include "events/decode.h"
#include "support/records.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>

namespace acceptwatch {
namespace {

using unit::an_event;
using unit::set_address;
using unit::set_comm;

class PseudonymsTest : public testing::Test {
protected:
  /// What a listener's address becomes.
  std::string address(const char* text) {
    aw_holder holder{};
    holder.listener.family = std::strchr(text, ':') ? AF_INET6 : AF_INET;
    set_address(holder.listener.address, text);
    pseudonyms.replace(holder);
    return std::string{to_string(address_of(holder.listener))};
  }

  std::string cgroup(std::string path) {
    pseudonyms.replace_cgroup(path);
    return path;
  }

  std::string name(std::string text) {
    pseudonyms.replace_name(text);
    return text;
  }

  Pseudonyms pseudonyms;
};

TEST_F(PseudonymsTest, AreTheSameForTheSame) {
  EXPECT_EQ(name("nginx"), "name-1");
  EXPECT_EQ(name("java"), "name-2");
  EXPECT_EQ(name("nginx"), "name-1");
  EXPECT_EQ(name(""), "") << "what is not known stays so";
  EXPECT_EQ(address("10.0.0.5"), "198.18.0.1");
  EXPECT_EQ(address("10.0.0.6"), "198.18.0.2");
  EXPECT_EQ(address("10.0.0.5"), "198.18.0.1");
  EXPECT_EQ(address("fe80::1"), "2001:db8::3");
}

TEST_F(PseudonymsTest, WildcardAndLoopbackAddressesStay) {
  for (const char* text : {"0.0.0.0", "127.0.0.53", "::", "::1"})
    EXPECT_EQ(address(text), text);
}

TEST_F(PseudonymsTest, AnAddressOfIPv4InASocketOfIPv6IsStillOne) {
  EXPECT_EQ(address("10.0.0.5"), "198.18.0.1");
  EXPECT_EQ(address("::ffff:10.0.0.5"), "198.18.0.1");
  EXPECT_EQ(address("::ffff:127.0.0.1"), "127.0.0.1");
}

TEST_F(PseudonymsTest, AnAddressOfAnUnknownFamilyIsLeftOut) {
  auto record = an_event();
  record.ends.client_address[3] = 9;
  pseudonyms.replace(record);
  EXPECT_EQ(record.ends.client_address[3], 0);
}

TEST_F(PseudonymsTest, WhatIsBehindAnAddressOfIPv4IsLeftOut) {
  auto record = an_event();
  record.ends.family = AF_INET;
  record.ends.client_address[9] = 9;
  pseudonyms.replace(record);
  EXPECT_EQ(record.ends.client_address[9], 0);
}

TEST_F(PseudonymsTest, AnAddressBehindATranslationHasOneToo) {
  aw_event record{};
  record.ends.family = AF_INET;
  record.nat_port = 80;
  set_address(record.nat_address, "10.88.0.5");
  pseudonyms.replace(record);
  EXPECT_EQ(record.nat_address[0], 198);
}

TEST_F(PseudonymsTest, WhichCgroupIsInWhichCanStillBeSeen) {
  EXPECT_EQ(cgroup("/system.slice/shop.service"), "/cgroup-1/cgroup-2");
  EXPECT_EQ(cgroup("/system.slice"), "/cgroup-1");
  EXPECT_EQ(cgroup("/system.slice/"), "/cgroup-1/");
  EXPECT_EQ(cgroup("/system.slices"), "/cgroup-3");
  EXPECT_EQ(cgroup("/"), "/");
  EXPECT_EQ(cgroup("shop/web"), "cgroup-4/cgroup-5");
}

TEST_F(PseudonymsTest, ManyOfThemStayDifferent) {
  std::set<std::string> all;
  for (int i = 0; i < 70'000; ++i)
    all.insert(address(fmt::format("10.{}.{}.{}", i >> 16, i >> 8 & 0xFF, i & 0xFF).c_str()));
  EXPECT_EQ(all.size(), 70'000U);
  EXPECT_TRUE(all.contains("198.19.0.1"));
}

TEST_F(PseudonymsTest, ARecordsNameIsAsLongAsItsFieldTakes) {
  aw_process process{};
  set_comm(process.comm, "a-name-of-15-by");
  pseudonyms.replace(process);
  EXPECT_EQ(text_of(process.comm), "name-1");
  EXPECT_EQ(process.comm[10], 0) << "nothing of the old one is behind it";
}

TEST_F(PseudonymsTest, ChainsHaveNamesLikeOthers) {
  Chain chain{"filter", "input"};
  pseudonyms.replace(chain);
  EXPECT_EQ(chain.table, "name-1");
  EXPECT_EQ(chain.name, "name-2");
}

} // namespace
} // namespace acceptwatch
