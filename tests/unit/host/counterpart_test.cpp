// SPDX-License-Identifier: Apache-2.0
// Whom a thread waits for: the other end of a connection, the holder of a lock.
#include "host/file_locks.h"
#include "host/tcp_table.h"

#include "support/temp_tree.h"

#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

constexpr const char* head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

std::string line(const std::string& local, const std::string& remote, const std::string& state,
                 uint64_t inode) {
  return "   0: " + local + " " + remote + " " + state +
         " 00000000:00000000 00:00000000 00000000     0        0 " + std::to_string(inode) +
         " 1 0000000000000000 20 4 30 10 -1\n";
}

class TcpTableTest : public testing::Test {
protected:
  unit::TempTree tree;
  ProcFs procfs{tree.root()};
};

TEST_F(TcpTableTest, CountsAcceptedConnectionsOfThePort) {
  tree.file("7/net/tcp", head + line("0100007F:1F90", "00000000:0000", "0A", 11) +
                             line("0100007F:1F90", "0100007F:C001", "01", 12) +
                             line("0100007F:1F90", "0100007F:C002", "08", 13) +
                             line("0100007F:1F90", "0100007F:C003", "01", 0) +
                             line("0100007F:1F91", "0100007F:C004", "01", 14));
  const auto found = look_at_connections(procfs, 7, 8080, 0);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->open, 2U) << "not the listener, not one that waits, not another port's";
  EXPECT_FALSE(found->peer);
}

TEST_F(TcpTableTest, NamesTheOtherEnd) {
  tree.file("7/net/tcp", head + line("0100007F:C001", "0700000A:1538", "01", 12));
  tree.file("7/net/tcp6", head + line("00000000000000000000000001000000:1F90",
                                      "00000000000000000000000001000000:C001", "01", 13));
  const auto backend = look_at_connections(procfs, 7, 8080, 12);
  ASSERT_TRUE(backend && backend->peer);
  EXPECT_EQ(std::string_view{to_string(backend->peer->address)}, "10.0.0.7");
  EXPECT_EQ(backend->peer->port, 5432);
  EXPECT_FALSE(backend->peer->is_client);
  const auto client = look_at_connections(procfs, 7, 8080, 13);
  ASSERT_TRUE(client && client->peer);
  EXPECT_EQ(std::string_view{to_string(client->peer->address)}, "::1");
  EXPECT_TRUE(client->peer->is_client);
}

TEST_F(TcpTableTest, IsNotKnownWhereItCannotBeReadOrTakesTooLong) {
  EXPECT_FALSE(look_at_connections(procfs, 7, 8080, 0));
  tree.file("7/net/tcp", head);
  EXPECT_TRUE(look_at_connections(procfs, 7, 8080, 0)) << "a host without IPv6";
  EXPECT_FALSE(look_at_connections(procfs, 7, 8080, 0, std::chrono::microseconds{0}));
}

TEST(FileLocks, NameWhoHasTheOneThatIsWaitedFor) {
  unit::TempTree tree;
  const ProcFs procfs{tree.root()};
  tree.file("locks", "1: FLOCK  ADVISORY  WRITE 20 08:01:10 0 EOF\n"
                     "1: -> FLOCK  ADVISORY  WRITE 30 08:01:10 0 EOF\n"
                     "2: POSIX  ADVISORY  READ 21 08:01:11 0 EOF\n");
  EXPECT_EQ(holder_of_lock(procfs, 30), 20U);
  EXPECT_FALSE(holder_of_lock(procfs, 21)) << "it has one, and waits for none";
}

} // namespace
} // namespace acceptwatch
