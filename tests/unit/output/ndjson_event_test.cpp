// SPDX-License-Identifier: Apache-2.0
#include "output/ndjson.h"

#include "events/names.h"
#include "output/json_parts.h"
#include "support/json.h"
#include "support/records.h"

#include <limits>

namespace acceptwatch {
namespace {

using unit::at;
using unit::text_at;

std::string formatted(const Event& event) {
  std::string out;
  NdjsonFormatter{}.format(event, out);
  return out;
}

rapidjson::Document parsed(const Event& event) { return unit::parse_line(formatted(event)); }

TEST(NdjsonEvent, IsTheContractsExampleToTheByte) {
  EXPECT_EQ(
      formatted(unit::contract_event()),
      R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
      R"("event":{"kind":"event","category":["network"],"type":["connection","denied"],)"
      R"("action":"listen_drop","reason":"accept_queue_full","sequence":0},)"
      R"("server":{"address":"10.0.0.5","port":9799},)"
      R"("client":{"address":"10.0.0.9","port":51812},)"
      R"("network":{"transport":"tcp","type":"ipv4"},)"
      R"("process":{"pid":4711,"name":"java","linux":{"cgroup":"/system.slice/shop.service"}},)"
      R"("acceptwatch":{"stage":"ack","count":1,"owners":1,)"
      R"("accept_queue":{"depth":11,"limit":10},"syn_queue":{"depth":3,"limit":10},)"
      R"("netns":4026531840,"socket":"8231",)"
      R"("kernel_reason":"TCP_LISTEN_OVERFLOW","source":"fentry"}})"
      "\n");
  unit::parse_line(formatted(unit::contract_event()));
}

TEST(NdjsonEvent, HasNoKeyForWhatIsNotKnown) {
  Event event;
  event.time = unit::contract_time;
  event.action = AW_RESET_SENT;
  event.source = AW_SOURCE_KPROBE;
  EXPECT_EQ(formatted(event),
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
            R"("event":{"kind":"event","category":["network"],"type":["connection","denied"],)"
            R"("action":"reset_sent","sequence":0},"network":{"transport":"tcp"},)"
            R"("acceptwatch":{"count":1,"source":"kprobe"}})"
            "\n");
}

TEST(NdjsonEvent, OfARetransmitHasItsRetryBeforeTheKernelsReason) {
  auto event = unit::contract_event();
  event.action = AW_SYNACK_RETRANSMIT;
  event.reason = AW_ACK_DROPPED;
  event.retry = 2;
  const auto line = formatted(event);
  EXPECT_EQ(at(unit::parse_line(line), "/acceptwatch/retry")->GetUint(), 2U);
  EXPECT_NE(line.find(R"("socket":"8231","retry":2,"kernel_reason":)"), std::string::npos) << line;
  EXPECT_EQ(text_at(unit::parse_line(line), "/event/type/1"), "info");
}

TEST(NdjsonEvent, NamesTheOwnersContainerAfterItsProcess) {
  auto event = unit::contract_event();
  event.owner->container = "c0ffee";
  EXPECT_NE(formatted(event).find(R"(.service"}},"container":{"id":"c0ffee"},"acceptwatch":)"),
            std::string::npos)
      << formatted(event);
}

TEST(NdjsonEvent, OfAFindingIsAnAlert) {
  auto event = unit::contract_event();
  event.action = AW_FINDING;
  event.reason = AW_REASON_NONE;
  event.verdict.emplace().finding.name = "stuck_acceptor";
  event.verdict->finding.what = "nothing is accepted";
  const auto document = parsed(event);
  EXPECT_EQ(text_at(document, "/event/kind"), "alert");
  EXPECT_EQ(at(document, "/event/severity")->GetUint(), 73U);
  EXPECT_EQ(text_at(document, "/event/reason"), "stuck_acceptor");
  EXPECT_EQ(text_at(document, "/rule/name"), "stuck_acceptor");
  EXPECT_EQ(text_at(document, "/message"), "nothing is accepted");
  EXPECT_EQ(text_at(document, "/acceptwatch/finding/state"), "begun");
}

TEST(NdjsonEvent, TellsAllOfTheOwnersState) {
  auto event = unit::contract_event();
  auto& state = event.owner_state.emplace();
  state.threads.processes = 1;
  state.threads.total = 12;
  state.threads.seen = 10;
  state.threads.doing[static_cast<size_t>(Activity::socket_read)] = 1;
  state.threads.doing[static_cast<size_t>(Activity::poll)] = 9;
  state.threads.waits = {{"ep_poll", 9}, {"wait_woken", 1}};
  state.threads.stacks = {{{"ep_poll", "__x64_sys_epoll_wait"}, 9}};
  state.descriptors = FileUsage{7, 20};
  state.frozen = false;
  state.threads.supervisors = 1;
  auto& told = state.threads.told.emplace();
  told.pid = 4711;
  told.tid = 4715;
  told.name = "worker";
  told.activity = Activity::socket_read;
  told.accepts = true;
  told.peer = Peer{event.client_address.value(), 5432, false};
  state.open_connections = 8;
  state.cpu_quota = CpuQuota{5000, 100000, 100, 95, 4500};
  state.pressure = {.cpu = 12.5, .memory = {}, .of_host = false};
  const auto line = formatted(event);
  unit::parse_line(line);
  EXPECT_NE(
      line.find(
          R"("source":"fentry","owner_state":{)"
          R"("summary":"throttled: 95 % of periods",)"
          R"("threads":{"processes":1,"supervisors":1,"total":12,"seen":10,"running":0,"disk":0,)"
          R"("stopped":0,"child":0,"lock":0,"socket_read":1,"socket_write":0,"connect":0,"futex":0,)"
          R"("io":0,"sleep":0,"poll":9,"accept":0,"signal":0,"other":0,"unknown":0,"zombie":0},)"
          R"("thread":{"pid":4711,"tid":4715,"name":"worker",)"
          R"("activity":"socket_read","accepts":true,)"
          R"("peer":{"address":"10.0.0.9","port":5432,"client":false}},)"
          R"("kernel_waits":[{"function":"ep_poll","threads":9},)"
          R"({"function":"wait_woken","threads":1}],)"
          R"("stacks":[{"threads":9,"frames":["ep_poll","__x64_sys_epoll_wait"]}],)"
          R"("descriptors":{"open":7,"limit":20},"frozen":false,)"
          R"("cpu_quota":{"quota_us":5000,"period_us":100000,"periods":100,)"
          R"("throttled":95,"throttled_us":4500},"open_connections":8,)"
          R"("pressure":{"of":"cgroup","cpu":12.5}}}})"),
      std::string::npos)
      << line;
}

TEST(NdjsonEvent, HasNoKeyForWhatIsNotKnownOfTheOwnersState) {
  auto event = unit::contract_event();
  event.owner_state.emplace();
  const auto document = parsed(event);
  ASSERT_TRUE(at(document, "/acceptwatch/owner_state/threads"));
  EXPECT_EQ(at(document, "/acceptwatch/owner_state")->MemberCount(), 1U);
}

TEST(NdjsonEvent, NamesTheFirewallsHookAfterTheKernelsReason) {
  auto event = unit::contract_event();
  event.reason = AW_FIREWALL;
  event.netfilter_hook = AW_HOOK_PREROUTING;
  EXPECT_NE(formatted(event).find(R"("kernel_reason":"TCP_LISTEN_OVERFLOW",)"
                                  R"("netfilter":{"hook":"prerouting"},"source":)"),
            std::string::npos)
      << formatted(event);
}

TEST(NdjsonEvent, NamesTheFirewallsChainWhereItIsKnown) {
  auto event = unit::contract_event();
  event.chain = Chain{"filter", "input"};
  EXPECT_NE(formatted(event).find(R"("netfilter":{"table":"filter","chain":"input"},)"),
            std::string::npos)
      << formatted(event);
}

TEST(NdjsonEvent, HasAnEndWithOneOfItsHalves) {
  auto event = unit::contract_event();
  event.server_address.reset();
  event.client_port.reset();
  const auto document = parsed(event);
  EXPECT_FALSE(at(document, "/server/address"));
  EXPECT_EQ(at(document, "/server/port")->GetUint(), 9799U);
  EXPECT_EQ(text_at(document, "/client/address"), "10.0.0.9");
  EXPECT_FALSE(at(document, "/client/port"));
}

TEST(NdjsonEvent, NamesIpv6) {
  auto event = unit::contract_event();
  event.family = AF_INET6;
  event.server_nat = OwnEnd{unit::an_address("2001:db8::5"), 8080};
  event.server_address = unit::an_address("2001:db8::1");
  event.client_address = unit::an_address("::ffff:10.0.0.9");
  const auto document = parsed(event);
  EXPECT_EQ(text_at(document, "/network/type"), "ipv6");
  EXPECT_EQ(text_at(document, "/server/address"), "2001:db8::1");
  EXPECT_EQ(text_at(document, "/server/nat/ip"), "2001:db8::5");
  EXPECT_EQ(at(document, "/server/nat/port")->GetUint(), 8080U);
  EXPECT_EQ(text_at(document, "/client/address"), "::ffff:10.0.0.9");
}

TEST(NdjsonEvent, OfAnUnknownFamilyHasNoNetworkType) {
  auto event = unit::contract_event();
  event.family = 0;
  event.client_address.reset();
  const auto document = parsed(event);
  EXPECT_EQ(text_at(document, "/network/transport"), "tcp");
  EXPECT_FALSE(at(document, "/network/type"));
}

TEST(NdjsonEvent, OfAnAddressWithoutFamilyHasNoAddressRatherThanAnEmptyOne) {
  auto event = unit::contract_event();
  event.family = 0;
  event.client_address = Address{};
  EXPECT_FALSE(at(parsed(event), "/client/address"));
}

TEST(NdjsonEvent, WritesNumbersThatDoublesWouldRoundAsText) {
  auto event = unit::contract_event();
  event.socket = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(text_at(parsed(event), "/acceptwatch/socket"), "18446744073709551615");
}

TEST(NdjsonEvent, KeepsAZeroThatIsKnown) {
  auto event = unit::contract_event();
  event.accept_queue = Queue{0, 0};
  event.syn_queue.reset();
  const auto document = parsed(event);
  EXPECT_EQ(at(document, "/acceptwatch/accept_queue/depth")->GetUint(), 0U);
  EXPECT_EQ(at(document, "/acceptwatch/accept_queue/limit")->GetUint(), 0U);
  EXPECT_FALSE(at(document, "/acceptwatch/syn_queue"));
}

TEST(NdjsonEvent, EveryActionReasonAndStageMakesALine) {
  auto event = unit::contract_event();
  for (int action = AW_LISTEN_DROP; action < AW_NR_ACTIONS; ++action) {
    for (int reason = AW_REASON_NONE; reason < AW_NR_REASONS; ++reason) {
      event.action = static_cast<aw_action>(action);
      event.reason = static_cast<aw_reason>(reason);
      const auto document = parsed(event);
      EXPECT_EQ(text_at(document, "/event/action"), name_of(event.action));
      EXPECT_EQ(at(document, "/event/reason") != nullptr, reason != AW_REASON_NONE);
    }
  }
}

/// What a process may call itself: up to 15 bytes of anything.
TEST(NdjsonEvent, OfAHostileNameIsOneValidLineWithTheNameIntact) {
  for (const char* name : {"a\"b\\c", "\x1b[2J\x07", "line\nbreak", "\x01\x1f\x7f",
                           R"("},"x":{"y":")", "caf\u00e9", "</script>"}) {
    auto event = unit::contract_event();
    event.owner->name = name;
    const auto line = formatted(event);
    for (const char byte : line.substr(0, line.size() - 1))
      EXPECT_GE(static_cast<unsigned char>(byte), 0x20) << line;
    EXPECT_EQ(text_at(unit::parse_line(line), "/process/name"), name);
  }
}

TEST(NdjsonEvent, OfANameThatIsNoUtf8IsUtf8) {
  auto event = unit::contract_event();
  event.owner->name = "a\xff\xc0\xaf\xed\xa0\x80z\xe2\x82";
  EXPECT_EQ(text_at(parsed(event), "/process/name"),
            "a\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDz\uFFFD\uFFFD");
}

TEST(NdjsonEvent, KeepsANulInsideAName) {
  auto event = unit::contract_event();
  event.owner->name = std::string{"a\0b", 3};
  EXPECT_EQ(text_at(parsed(event), "/process/name"), (std::string{"a\0b", 3}));
}

TEST(NdjsonEvent, OfAnyCgroupFitsInALine) {
  auto event = unit::contract_event();
  event.owner->cgroup = std::string(4095, '\x01'); // PATH_MAX, six bytes each as JSON
  const auto line = formatted(event);
  unit::parse_line(line);
  EXPECT_LE(line.size(), max_line);
}

TEST(NdjsonEvent, OfTheLongestStacksFitsInALine) {
  auto event = unit::contract_event();
  event.owner->cgroup = std::string(4095, '\x01');
  auto& state = event.owner_state.emplace();
  const std::string function(100, 'f');
  state.threads.waits.assign(4, {function, 1});
  state.threads.stacks.assign(3, {std::vector<std::string>(12, function), 1});
  const auto line = formatted(event);
  const auto document = unit::parse_line(line);
  EXPECT_LE(line.size(), max_line);
  EXPECT_TRUE(at(document, "/acceptwatch/owner_state/threads"));
}

TEST(NdjsonEvent, EscapesWhatSomeReadersTakeForTheEndOfALine) {
  auto event = unit::contract_event();
  event.owner->name = "a\u2028b\u2029c\u0085d\x7f\u202e\U000e0041z";
  const auto line = formatted(event);
  EXPECT_NE(line.find(R"(a\u2028b\u2029c\u0085d\u007f\u202e\udb40\udc41z)"), std::string::npos)
      << line;
  EXPECT_EQ(text_at(unit::parse_line(line), "/process/name"), event.owner->name);
}

/// Lines are put together in chunks: one that is longer has to be whole all the same,
/// wherever the next chunk begins.
TEST(NdjsonEvent, OfAnyLengthHasItsStringsWhole) {
  auto event = unit::contract_event();
  for (size_t length = 1; length < 1024; ++length) {
    event.owner->cgroup = std::string(length, 'x');
    event.owner->container = std::string(1024 - length, 'y');
    event.owner->name = std::string(length % 16, '\x01');
    const auto document = parsed(event);
    ASSERT_EQ(text_at(document, "/process/linux/cgroup"), *event.owner->cgroup);
    ASSERT_EQ(text_at(document, "/container/id"), *event.owner->container);
    ASSERT_EQ(text_at(document, "/acceptwatch/source"), "fentry");
  }
}

TEST(NdjsonEvent, IsAppended) {
  std::string out = "before\n";
  NdjsonFormatter{}.format(unit::contract_event(), out);
  EXPECT_TRUE(out.starts_with("before\n{"));
}

} // namespace
} // namespace acceptwatch
