// SPDX-License-Identifier: Apache-2.0
#include "events/decode.h"

#include "support/records.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

std::optional<std::string> no_names(aw_reason_space /*space*/, uint32_t /*number*/) {
  return std::nullopt;
}

Event converted(const aw_event& record) { return to_event(record, Instant{}, no_names); }

/// Every part filled, each with values of its own.
aw_event full_record() {
  auto record = unit::an_event();
  record.listener.id = 4711;
  record.listener.cookie = 8231;
  record.listener.accept_depth = 11;
  record.listener.accept_limit = 10;
  record.listener.syn_depth = 3;
  record.listener.syn_limit = 12;
  record.listener.family = AF_INET;
  record.listener.port = 80;
  unit::set_address(record.listener.address, "10.0.0.1");
  record.ends.family = AF_INET6;
  record.ends.server_port = 443;
  record.ends.client_port = 51812;
  unit::set_address(record.ends.server_address, "2001:db8::1");
  unit::set_address(record.ends.client_address, "2001:db8::2");
  return record;
}

class Flags : public testing::TestWithParam<int> {};

/// A part shows in the event if and only if its flag is set.
TEST_P(Flags, SayWhichPartsHoldSomething) {
  auto record = full_record();
  record.flags = static_cast<__u8>(GetParam());
  const bool listener = record.flags & AW_HAS_LISTENER;
  const bool addresses = record.flags & AW_HAS_ADDRESSES;
  const bool port = record.flags & AW_HAS_PORT;
  const auto event = converted(record);

  EXPECT_EQ(event.listener, listener ? 4711U : 0U);
  EXPECT_EQ(event.socket, listener ? std::optional<uint64_t>{8231} : std::nullopt);
  const Queue accept_queue{11, 10};
  const Queue syn_queue{3, 12};
  EXPECT_EQ(event.accept_queue, listener && (record.flags & AW_HAS_ACCEPT_QUEUE)
                                    ? std::optional{accept_queue}
                                    : std::nullopt);
  EXPECT_EQ(event.syn_queue, listener && (record.flags & AW_HAS_SYN_QUEUE)
                                 ? std::optional{syn_queue}
                                 : std::nullopt);
  EXPECT_EQ(event.server_port, port       ? std::optional<uint16_t>{443}
                               : listener ? std::optional<uint16_t>{80}
                                          : std::nullopt);
  EXPECT_EQ(event.client_port, addresses ? std::optional<uint16_t>{51812} : std::nullopt);
  EXPECT_EQ(event.client_address,
            addresses ? std::optional{unit::an_address("2001:db8::2")} : std::nullopt);
  EXPECT_EQ(event.server_address, addresses  ? std::optional{unit::an_address("2001:db8::1")}
                                  : listener ? std::optional{unit::an_address("10.0.0.1")}
                                             : std::nullopt);
  EXPECT_EQ(event.family, addresses ? AF_INET6 : listener ? AF_INET : 0);
  EXPECT_FALSE(event.owner);
  EXPECT_EQ(event.owners, 0U);
  EXPECT_EQ(event.count, 1U);
}

INSTANTIATE_TEST_SUITE_P(All, Flags, testing::Range(0, 32));

TEST(ToEvent, TakesOverWhatHappened) {
  auto record = unit::an_event(AW_RESET_SENT);
  record.reason = AW_ABORT_ON_OVERFLOW;
  record.stage = AW_STAGE_ACK;
  record.header.source = AW_SOURCE_KPROBE;
  record.header.boot_ns = 5'000'000'000;
  const Instant clock{.boot_ns = 1, .wall_offset = 5, .suspended = 0};
  const auto event = to_event(record, clock, no_names);
  EXPECT_EQ(event.time, clock.wall_time(5'000'000'000));
  EXPECT_EQ(event.action, AW_RESET_SENT);
  EXPECT_EQ(event.reason, AW_ABORT_ON_OVERFLOW);
  EXPECT_EQ(event.stage, AW_STAGE_ACK);
  EXPECT_EQ(event.source, AW_SOURCE_KPROBE);
}

TEST(ToEvent, AWildcardSaysNotWhereAConnectionWent) {
  for (const uint16_t family : {uint16_t{AF_INET}, uint16_t{AF_INET6}}) {
    auto record = unit::an_event(AW_LISTEN_DROP);
    record.flags = AW_HAS_LISTENER;
    record.listener.family = family;
    record.listener.port = 80;
    const auto event = converted(record);
    EXPECT_FALSE(event.server_address);
    EXPECT_EQ(event.family, 0); // a [::] listener takes IPv4 too
    EXPECT_EQ(event.server_port, 80);
  }
}

TEST(ToEvent, ATranslatedPacketHasTheListenersOwnEndBesideTheClients) {
  auto record = full_record();
  record.flags = AW_HAS_ENDS | AW_IS_PASSING;
  record.nat_port = 8443;
  unit::set_address(record.nat_address, "2001:db8::7");
  const auto event = converted(record);
  EXPECT_TRUE(event.is_passing);
  EXPECT_EQ(event.server_port, 443);
  ASSERT_TRUE(event.server_nat);
  EXPECT_EQ(event.server_nat->address, unit::an_address("2001:db8::7"));
  EXPECT_EQ(event.server_nat->port, 8443);
}

TEST(ToEvent, AListenerThatIsLedToHasItsOwnPort) {
  auto record = full_record();
  record.flags = AW_HAS_LISTENER | AW_HAS_ENDS;
  auto event = converted(record);
  ASSERT_TRUE(event.server_nat);
  EXPECT_EQ(event.server_nat->port, 80);
  record.listener.port = 443;
  event = converted(record);
  EXPECT_FALSE(event.server_nat) << "it is where the client sent to";
}

TEST(ToEvent, ARecordAboutTheListenerShowsItsWildcard) {
  for (const aw_action action : {AW_LISTENER_OPENED, AW_LISTENER_CLOSED}) {
    auto record = unit::an_event(action);
    record.flags = AW_HAS_LISTENER;
    record.listener.family = AF_INET6;
    const auto event = converted(record);
    ASSERT_TRUE(event.server_address);
    EXPECT_EQ(to_string(*event.server_address), "::");
    EXPECT_EQ(event.family, AF_INET6);
  }
}

/// An IPv4 client of a [::] listener: IPv4 is what is on the wire.
TEST(ToEvent, AMappedAddressIsShownAsIpv4) {
  auto record = unit::an_event();
  record.flags = AW_HAS_ENDS;
  record.ends.family = AF_INET6;
  unit::set_address(record.ends.server_address, "::ffff:10.0.0.5");
  unit::set_address(record.ends.client_address, "::ffff:10.0.0.9");
  const auto event = converted(record);
  EXPECT_EQ(event.family, AF_INET);
  EXPECT_EQ(event.server_address, unit::an_address("10.0.0.5"));
  EXPECT_EQ(event.client_address, unit::an_address("10.0.0.9"));
}

TEST(ToEvent, AListenerBoundToAMappedAddressIsIpv4Throughout) {
  auto record = unit::an_event();
  record.flags = AW_HAS_LISTENER;
  record.listener.family = AF_INET6;
  unit::set_address(record.listener.address, "::ffff:10.0.0.5");
  const auto event = converted(record);
  ASSERT_TRUE(event.server_address);
  EXPECT_EQ(*event.server_address, unit::an_address("10.0.0.5"));
  EXPECT_EQ(event.family, AF_INET) << "network.type must fit server.address";
}

TEST(ToEvent, AddressesThatOnlyResembleMappedOnesStayIpv6) {
  for (const char* text : {"::10.0.0.9", "::fffe:a00:9", "1::ffff:10.0.0.9", "::1"}) {
    auto record = unit::an_event();
    record.flags = AW_HAS_ENDS;
    record.ends.family = AF_INET6;
    unit::set_address(record.ends.client_address, text);
    EXPECT_EQ(converted(record).client_address, unit::an_address(text));
  }
}

TEST(ToEvent, OnlyARetransmitHasARetry) {
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action) {
    auto record = unit::an_event(static_cast<aw_action>(action));
    record.retry = 3;
    EXPECT_EQ(converted(record).retry,
              action == AW_SYNACK_RETRANSMIT ? std::optional{3U} : std::nullopt);
  }
}

TEST(ToEvent, ZeroIsNoNamespaceAndNoCookie) {
  auto record = unit::an_event();
  record.flags = AW_HAS_LISTENER;
  EXPECT_FALSE(converted(record).netns);
  EXPECT_FALSE(converted(record).socket);
  record.listener.netns = 4026531840;
  EXPECT_EQ(converted(record).netns, 4026531840);
}

TEST(ToEvent, KnowsTheNamespaceWithoutAListener) {
  auto record = unit::an_event(AW_RESET_SENT);
  record.listener.netns = 4026531840;
  EXPECT_EQ(converted(record).netns, 4026531840);
}

TEST(ToEvent, AsksForTheKernelsNameInTheRightEnum) {
  std::string name;
  const ReasonNames names = [&name](aw_reason_space space, uint32_t number) -> std::string_view {
    return name = std::to_string(space) + ":" + std::to_string(number);
  };
  auto record = unit::an_event();
  record.kernel_reason = 77;
  EXPECT_FALSE(to_event(record, Instant{}, names).kernel_reason);
  record.reason_space = AW_SKB_DROP_REASON;
  EXPECT_EQ(to_event(record, Instant{}, names).kernel_reason, "1:77");
  record.reason_space = AW_SK_RST_REASON;
  EXPECT_EQ(to_event(record, Instant{}, names).kernel_reason, "2:77");
}

TEST(ToEvent, KnowsTheHookOfTheFirewall) {
  auto record = unit::an_event();
  EXPECT_EQ(converted(record).netfilter_hook, AW_HOOK_UNKNOWN);
  record.hook = AW_HOOK_PREROUTING;
  EXPECT_EQ(converted(record).netfilter_hook, AW_HOOK_PREROUTING);
}

TEST(ToEvent, AReasonThatTheKernelDoesNotNameIsAbsent) {
  auto record = unit::an_event();
  record.reason_space = AW_SKB_DROP_REASON;
  EXPECT_FALSE(converted(record).kernel_reason);
}

TEST(ToEvent, SaysHowSoonAConnectionWasClosedAndByWhom) {
  auto record = full_record();
  record.action = AW_CLOSED_AFTER_ACCEPT;
  record.reason = AW_PROCESS_FAILED;
  record.flags = AW_HAS_ENDS | AW_SINCE_ACCEPT;
  record.age_us = 2500;
  record.bytes_read = 89;
  record.bytes_unread = 0;
  record.bytes_sent = 120;
  record.number = 17;
  record.pid = 815;
  record.exit_code = 1 << 8;
  const auto event = converted(record);
  ASSERT_TRUE(event.early_close);
  EXPECT_DOUBLE_EQ(event.early_close->seconds, 0.0025);
  EXPECT_TRUE(event.early_close->since_accept);
  EXPECT_EQ(event.early_close->read, 89U);
  EXPECT_EQ(event.early_close->sent, 120U);
  EXPECT_EQ(event.early_close->number, 17U);
  ASSERT_TRUE(event.end);
  EXPECT_EQ(event.end->pid, 815U);
  EXPECT_EQ(event.end->exit_status(), 1U);
  record.flags = AW_HAS_ENDS;
  record.number = 0;
  record.exit_code = 0;
  const auto unsure = converted(record);
  EXPECT_FALSE(unsure.early_close->since_accept);
  EXPECT_FALSE(unsure.early_close->number);
  EXPECT_FALSE(unsure.end->exit_code);
  record.action = AW_LISTENER_OPENED;
  EXPECT_FALSE(converted(record).early_close);
}

} // namespace
} // namespace acceptwatch
