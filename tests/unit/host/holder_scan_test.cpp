// SPDX-License-Identifier: Apache-2.0
#include "host/holder_scan.h"

#include "events/decode.h"
#include "support/temp_tree.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace acceptwatch {
namespace {

constexpr const char* head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode                                                     \n";

/// One line of /proc/net/tcp, padded as the kernel does it.
std::string line(const std::string& local, const std::string& state, const std::string& queues,
                 const std::string& inode) {
  return "   0: " + local + " 00000000:0000 " + state + " " + queues +
         " 00:00000000 00000000     0        0 " + inode +
         " 1 0000000099cba8bf 100 0 0 10 0                      \n";
}

constexpr const char* listening = "0A";
constexpr const char* no_queue = "00000000:00000000";

class NetTcp : public testing::Test {
protected:
  std::vector<aw_listener> parsed(const std::string& table) {
    tree.file("tcp", table);
    return listeners_of_table(tree.path("tcp"));
  }

  unit::TempTree tree;
};

TEST_F(NetTcp, ListenerHasAddressPortInodeAndDepth) {
  const auto found = parsed(head + line("0500000A:2647", listening, "00000000:0000000B", "1055"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, 1055U);
  EXPECT_EQ(found[0].family, AF_INET);
  EXPECT_EQ(found[0].port, 9799);
  EXPECT_EQ(found[0].accept_depth, 11U);
  EXPECT_EQ(found[0].accept_limit, 0U);
  EXPECT_EQ(to_string(address_of(found[0])), "10.0.0.5");
}

TEST_F(NetTcp, Ipv6AddressesAreWordsInHostOrder) {
  const auto found =
      parsed(head + line("B80D0120000000000000000001000000:01BB", listening, no_queue, "7") +
             line("00000000000000000000000000000000:FFFF", listening, no_queue, "8"));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].family, AF_INET6);
  EXPECT_EQ(found[0].port, 443);
  EXPECT_EQ(to_string(address_of(found[0])), "2001:db8::1");
  EXPECT_EQ(found[1].port, 65535);
  EXPECT_EQ(to_string(address_of(found[1])), "::");
}

TEST_F(NetTcp, OnlyListenersAreTaken) {
  std::string table = head;
  for (const char* state : {"01", "02", "03", "06", "08", "0B", "0C"})
    table += line("0500000A:2647", state, no_queue, "1");
  EXPECT_TRUE(parsed(table).empty());
}

TEST_F(NetTcp, LinesThatAreOddAreLeftOut) {
  const std::string right = line("0500000A:2647", listening, no_queue, "1055");
  for (const auto& odd :
       {line("0500000A", listening, no_queue, "1"), line("0500000A:", listening, no_queue, "2"),
        line("050000:2647", listening, no_queue, "3"),
        line("0500000X:2647", listening, no_queue, "4"),
        line("0500000A:12647", listening, no_queue, "5"),
        line("0500000A:26x7", listening, no_queue, "6"),
        line("0500000A:2647", listening, no_queue, "x"), std::string{"\n   9: 0A\n"},
        right.substr(0, right.find("1055"))}) {
    const auto found = parsed(head + odd + "\n" + right);
    ASSERT_GE(found.size(), 1U) << odd;
    EXPECT_EQ(found.size(), 1U) << odd;
    EXPECT_EQ(found.back().id, 1055U) << odd;
  }
}

TEST_F(NetTcp, TableThatIsMissingOrEmptyHasNone) {
  EXPECT_TRUE(listeners_of_table(tree.path("missing")).empty());
  EXPECT_TRUE(parsed("").empty());
  EXPECT_TRUE(parsed(head).empty());
}

class ScanProcFs : public testing::Test {
protected:
  void process(const std::string& pid, const std::string& name, const std::string& netns) {
    tree.file(pid + "/comm", name + "\n");
    tree.file(pid + "/stat", pid + " (" + name +
                                 ") S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 " + "1" + pid +
                                 " 20\n");
    tree.link(pid + "/ns/net", "net:[" + netns + "]");
  }

  std::vector<aw_holder> scanned() {
    std::vector<aw_holder> found;
    scan_procfs(procfs, [&](const aw_holder& holder) { found.push_back(holder); });
    std::sort(found.begin(), found.end(), [](const aw_holder& a, const aw_holder& b) {
      return std::pair{a.pid, a.fd} < std::pair{b.pid, b.fd};
    });
    return found;
  }

  unit::TempTree tree;
  ProcFs procfs{tree.root()};
  const std::string shop = head + line("0500000A:2647", listening, no_queue, "1055");
};

TEST_F(ScanProcFs, NamespacesAreThoseOfAllProcessesOnceEach) {
  process("100", "java", "4026531840");
  process("101", "java", "4026531840");
  process("102", "nginx", "4026532000");
  tree.file("103/comm", "hidden\n");
  auto found = network_namespaces(procfs);
  std::ranges::sort(found, {}, &NetNamespace::inode);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].inode, 4026531840U);
  EXPECT_EQ(found[1].inode, 4026532000U);
  EXPECT_EQ(found[1].pid, 102U);
}

TEST_F(ScanProcFs, HolderIsARecordLikeTheIteratorsOwn) {
  process("100", "java", "4026531840");
  tree.file("100/net/tcp", shop);
  tree.link("100/fd/7", "socket:[1055]");
  const auto found = scanned();
  ASSERT_EQ(found.size(), 1U);
  const aw_holder& holder = found[0];
  EXPECT_EQ(holder.header.kind, AW_RECORD_HOLDER);
  EXPECT_EQ(holder.header.size, sizeof(aw_holder));
  EXPECT_EQ(holder.pid, 100U);
  EXPECT_EQ(holder.fd, 7U);
  EXPECT_EQ(text_of(holder.comm), "java");
  EXPECT_EQ(holder.start_ns, procfs.start_ns(100));
  EXPECT_NE(holder.start_ns, 0U);
  EXPECT_EQ(holder.listener.id, 1055U);
  EXPECT_EQ(holder.listener.netns, 4026531840U);
  EXPECT_EQ(holder.listener.port, 9799);
}

TEST_F(ScanProcFs, AllHoldersOfAListenerAreFound) {
  for (const char* pid : {"100", "200", "300"}) {
    process(pid, "nginx", "4026531840");
    tree.file(std::string{pid} + "/net/tcp", shop);
    tree.link(std::string{pid} + "/fd/6", "socket:[1055]");
  }
  tree.link("300/fd/9", "socket:[1056]"); // a connection
  const auto found = scanned();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].pid, 100U);
  EXPECT_EQ(found[2].pid, 300U);
}

TEST_F(ScanProcFs, EachNamespaceHasListenersOfItsOwn) {
  process("100", "java", "4026531840");
  process("200", "redis", "4026532000");
  tree.file("100/net/tcp", shop);
  tree.file("200/net/tcp6",
            head + line("00000000000000000000000000000000:18EB", listening, no_queue, "2000"));
  tree.link("100/fd/3", "socket:[1055]");
  tree.link("200/fd/3", "socket:[2000]");
  const auto found = scanned();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].listener.netns, 4026531840U);
  EXPECT_EQ(found[1].listener.netns, 4026532000U);
  EXPECT_EQ(found[1].listener.family, AF_INET6);
  EXPECT_EQ(found[1].listener.port, 6379);
}

TEST_F(ScanProcFs, HolderInAnotherNamespaceThanItsListenerIsFound) {
  process("100", "starter", "4026531840");
  process("200", "service", "4026532000");
  tree.file("100/net/tcp", shop);
  tree.link("200/fd/3", "socket:[1055]"); // was passed the socket
  const auto found = scanned();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].pid, 200U);
  EXPECT_EQ(found[0].listener.netns, 4026531840U);
}

TEST_F(ScanProcFs, WhatVanishedMeanwhileIsLeftOut) {
  process("100", "java", "4026531840");
  tree.file("100/net/tcp", shop);
  tree.link("100/fd/3", "socket:[1055]");
  tree.directory("200");                  // exited
  tree.link("300/fd/3", "socket:[1055]"); // name and start are gone already
  const auto found = scanned();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].pid, 300U);
  EXPECT_EQ(found[1].start_ns, 0U);
  EXPECT_EQ(text_of(found[1].comm), "");
}

TEST_F(ScanProcFs, LongNamesAreCutAsTheKernelCutsThem) {
  process("100", "0123456789abcdefghij", "4026531840");
  tree.file("100/net/tcp", shop);
  tree.link("100/fd/3", "socket:[1055]");
  const auto found = scanned();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(text_of(found[0].comm), "0123456789abcde");
}

} // namespace
} // namespace acceptwatch
