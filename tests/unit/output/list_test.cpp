// SPDX-License-Identifier: Apache-2.0
#include "output/list.h"

#include "base/text.h"
#include "support/json.h"
#include "support/records.h"
#include "support/schema.h"

#include <algorithm>

namespace acceptwatch {
namespace {

using unit::at;

Listed full() {
  Listed entry;
  entry.id = 77;
  entry.address = unit::an_address("10.0.0.5");
  entry.port = 9799;
  entry.netns = 4026531840;
  entry.socket = 8231;
  entry.accept_queue = {11, 10, LimitFrom::listen};
  entry.syn_queue = {3, 8, LimitFrom::max_syn_backlog};
  entry.drops = 4;
  entry.reuseport = false;
  entry.owner = Owner{4711, "java", "/shop", std::string(64, 'c')};
  entry.owners = 2;
  return entry;
}

Listed bare() {
  Listed entry;
  entry.address = unit::an_address("::");
  entry.port = 80;
  entry.accept_queue.depth = 0;
  return entry;
}

std::string as_ndjson(const std::vector<Listed>& listeners) {
  return list_as_ndjson(listeners, {unit::contract_time, "shop1", "0.1.0"});
}

TEST(ListAsNdjson, HasTheKeysOfEventsInTheirOrder) {
  EXPECT_EQ(as_ndjson({full()}),
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z","host":{"name":"shop1"},)"
            R"("server":{"address":"10.0.0.5","port":9799},)"
            R"("network":{"transport":"tcp","type":"ipv4"},)"
            R"("process":{"pid":4711,"name":"java","linux":{"cgroup":"/shop"}},)"
            R"("container":{"id":"cccccccccccccccccccccccccccccccc)"
            R"(cccccccccccccccccccccccccccccccc"},"acceptwatch":{"owners":2,)"
            R"j("accept_queue":{"depth":11,"limit":10,"limit_from":"listen()"},)j"
            R"("syn_queue":{"depth":3,"limit":8,"limit_from":"tcp_max_syn_backlog"},)"
            R"("drops":4,"reuseport":false,"netns":4026531840,"socket":"8231",)"
            R"("schema":"1","version":"0.1.0"}})"
            "\n");
}

TEST(ListAsNdjson, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(list_as_ndjson({bare()}, {unit::contract_time, "", "0.1.0"}),
            R"({"@timestamp":"2026-11-22T12:17:03.120345678Z",)"
            R"("server":{"address":"::","port":80},)"
            R"("network":{"transport":"tcp","type":"ipv6"},)"
            R"("acceptwatch":{"accept_queue":{"depth":0},"schema":"1","version":"0.1.0"}})"
            "\n");
}

TEST(ListAsNdjson, IsWhatItsSchemaSays) {
  const unit::Schema schema{"acceptwatch-list-1.json"};
  for (const auto& entry : {full(), bare()})
    EXPECT_EQ(schema.complaint(as_ndjson({entry})), "");
  EXPECT_NE(schema.complaint("{}\n"), "");
}

TEST(ListAsNdjson, IsOneLineForEach) {
  const auto lines = as_ndjson({full(), bare()});
  EXPECT_EQ(std::ranges::count(lines, '\n'), 2);
  EXPECT_EQ(as_ndjson({}), "");
}

TEST(ListAsNdjson, StaysBelowTheLongestLine) {
  auto entry = full();
  entry.owner->name = std::string(15, '\x01');
  entry.owner->cgroup = "/" + std::string(4094, '\x01');
  EXPECT_LT(as_ndjson({entry}).size(), max_line);
}

TEST(ListAsText, AlignsItsColumns) {
  EXPECT_EQ(list_as_text({bare(), full()}, false),
            "PORT ADDRESS  PROCESS      ACCEPTQ FROM     SYNQ DROPS      NETNS\n"
            "  80 ::       -                0/- -           -     -          -\n"
            "9799 10.0.0.5 java/4711 x2   11/10 listen()  3/8     4 4026531840\n");
}

TEST(ListAsText, ShowsNamespacesWhereThereAreSeveral) {
  auto inside = full();
  inside.netns = 4026532246;
  EXPECT_EQ(list_as_text({full(), inside}, false),
            "PORT ADDRESS  PROCESS      ACCEPTQ FROM     SYNQ DROPS      NETNS\n"
            "9799 10.0.0.5 java/4711 x2   11/10 listen()  3/8     4 4026531840\n"
            "9799 10.0.0.5 java/4711 x2   11/10 listen()  3/8     4 4026532246\n");
  EXPECT_EQ(list_as_text({inside, inside}, false).find("NETNS"), std::string::npos);
}

TEST(ListAsText, WideHasAllColumns) {
  EXPECT_EQ(list_as_text({full()}, true),
            "PORT ADDRESS  PROCESS      ACCEPTQ FROM     SYNQ FROM                DROPS STARTED "
            "REUSEPORT      NETNS SOCKET CONTAINER    CGROUP\n"
            "9799 10.0.0.5 java/4711 x2   11/10 listen()  3/8 tcp_max_syn_backlog     4 -       "
            "no        4026531840   8231 cccccccccccc /shop\n");
}

TEST(ListAsText, ShowsPeaksAfterSeveralLooks) {
  auto entry = full();
  entry.accept_queue.peak = 12;
  EXPECT_EQ(list_as_text({entry}, false),
            "PORT ADDRESS  PROCESS      ACCEPTQ PEAK FROM     SYNQ PEAK DROPS\n"
            "9799 10.0.0.5 java/4711 x2   11/10   12 listen()  3/8    -     4\n");
}

TEST(ListAsNdjson, ShowsPeaksAndTheOwnersStart) {
  auto entry = full();
  entry.syn_queue.peak = 5;
  entry.owner_started = 1'000'000'000;
  const auto document = unit::parse_line(as_ndjson({entry}));
  EXPECT_EQ(at(document, "/acceptwatch/syn_queue/peak")->GetInt(), 5);
  EXPECT_FALSE(at(document, "/acceptwatch/accept_queue/peak"));
  EXPECT_EQ(unit::text_at(document, "/process/start"), "1970-01-01T00:00:01.000000000Z");
}

TEST(ListAsText, OfNothingIsItsHeader) {
  EXPECT_EQ(list_as_text({}, false), "PORT ADDRESS PROCESS ACCEPTQ FROM SYNQ DROPS\n");
}

TEST(ListAsText, FitsATerminalWhateverThereIs) {
  auto entry = full();
  entry.address = unit::an_address("2001:db8:1234:5678:9abc:def0:1234:5678");
  entry.port = 65535;
  entry.owner = Owner{4'194'304, "0123456789abcde", {}};
  entry.owners = 120;
  entry.accept_queue = {65536, 65535, LimitFrom::somaxconn};
  entry.syn_queue = {65536, 65535, LimitFrom::somaxconn};
  const auto text = list_as_text({entry}, false);
  for (const auto line : split(text, '\n'))
    EXPECT_LE(line.size(), 80U) << line;
  EXPECT_NE(text.find("/4194304"), std::string::npos) << text;
  EXPECT_NE(text.find("2001:db8:1234"), std::string::npos) << text;
}

TEST(ListAsText, ShowsHostileNamesHarmless) {
  auto entry = full();
  entry.owner->name = "\x1b[31m";
  entry.owner->cgroup = "/\n";
  EXPECT_EQ(list_as_text({entry}, true).find('\x1b'), std::string::npos);
  const auto text = list_as_text({entry}, true);
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
}

} // namespace
} // namespace acceptwatch
