// SPDX-License-Identifier: Apache-2.0
#include "self_test.h"

#include <ctime>
#include <deque>
#include <iostream>

#include "core/blind_lists.h"
#include "core/error.h"
#include "core/judge.h"
#include "core/sight.h"
#include "core/wellformed.h"

namespace acceptwatch::scenarios {

namespace {

using Lines = std::vector<std::string>;

constexpr const char* right_drop =
    R"({"@timestamp":"@NOW@","event":{"kind":"event","category":["network"],"type":["connection","denied"],)"
    R"("action":"listen_drop","reason":"accept_queue_full"},"server":{"address":"10.0.0.1","port":80},)"
    R"("client":{"address":"10.0.0.2","port":@PORT@},"network":{"transport":"tcp","type":"ipv4"},)"
    R"("process":{"pid":42,"name":"shop"},"acceptwatch":{"stage":"syn","count":1,"owners":1,)"
    R"("accept_queue":{"depth":3,"limit":2},"syn_queue":{"depth":0,"limit":2},"netns":7,"source":"fentry"}})";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  if (at == std::string::npos) {
    throw Failure("the self-test spoils nothing: no " + what);
  }
  return text.replace(at, what.size(), by);
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::string text(64, '\0');
  text.resize(
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.000000000Z", std::gmtime(&now)));
  return text;
}

// Two clients, one SYN each.
Lines right_lines() {
  const std::string line = replaced(right_drop, "@NOW@", now_text());
  return {replaced(line, "@PORT@", "5001"), replaced(line, "@PORT@", "5002")};
}

WorldReport right_world() {
  Expectation expected;
  expected.action = "listen_drop";
  expected.reason = "accept_queue_full";
  expected.stage = "syn";
  expected.network_type = "ipv4";
  expected.server_address = "10.0.0.1";
  expected.client_address = "10.0.0.2";
  expected.server_port = 80;
  expected.clients = {{5001, 1}, {5002, 1}};
  expected.owner = Owner{42, "shop", 1};
  expected.accept_depth = Range::exactly(3);
  expected.accept_limit = Range::exactly(2);
  expected.syn_depth = Range::exactly(0);
  WorldReport world;
  world.netns = 7;
  world.expected = {expected};
  world.measured = {{"ListenDrops", 2}, {"ListenOverflows", 2}, {"OutRsts", 0}};
  return world;
}

// As an output numbers its records: at the end of the object "event". A line whose "event" was
// altered past recognition stays as it is.
std::string numbered(std::string line, size_t number) {
  const size_t begin = line.find(R"("event":{)");
  const size_t end = begin == std::string::npos ? begin : line.find('}', begin);
  return end == std::string::npos ? line : line.insert(end, cat(R"(,"sequence":)", number));
}

size_t complaints_about(const Lines& lines, const WorldReport& world,
                        const std::vector<BlindSpot>& blind) {
  WellFormed well_formed("fentry");
  std::vector<Record> records;
  for (const std::string& line : lines) {
    records.push_back(parse_record(numbered(line, records.size())));
    well_formed.take(records.back());
  }
  std::vector<const Record*> seen;
  seen.reserve(records.size());
  for (const Record& record : records) {
    seen.push_back(&record);
  }
  uint64_t lost = 0;
  return judge_records(world, seen, blind, lost).failures.size() +
         judge_counters(world).failures.size() + well_formed.complaints().size();
}

class SelfTest {
public:
  void accepts(const std::string& what, const Lines& lines, const WorldReport& world,
               const std::vector<BlindSpot>& blind = {}) {
    check(what, complaints_about(lines, world, blind) == 0);
  }
  void refuses(const std::string& what, const Lines& lines, const WorldReport& world,
               const std::vector<BlindSpot>& blind = {}) {
    check(what, complaints_about(lines, world, blind) != 0);
  }
  void refuses_with(const std::string& part, const std::string& by) {
    Lines lines = right_lines();
    lines[1] = replaced(lines[1], part, by);
    refuses(cat(part, " → ", by), lines, right_world());
  }
  bool passed() const { return failed_ == 0; }

  void check(const std::string& what, bool is_right) {
    std::cout << (is_right ? "ok   " : "FAIL ") << what << "\n";
    failed_ += is_right ? 0 : 1;
  }

private:
  int failed_ = 0;
};

void test_fields(SelfTest& test) {
  test.refuses_with(R"("reason":"accept_queue_full")", R"("reason":"syn_queue_full")");
  test.refuses_with(R"("reason":"accept_queue_full")", R"("reason":"bad_luck")");
  test.refuses_with(R"("stage":"syn")", R"("stage":"ack")");
  test.refuses_with(R"("port":80)", R"("port":81)");
  test.refuses_with(R"("port":80)", R"("port":"80")");
  test.refuses_with("10.0.0.1", "10.0.0.9");
  test.refuses_with(R"("port":5002)", R"("port":5003)");
  test.refuses_with(R"("port":5002)", R"("port":5001)");
  test.refuses_with(R"("type":"ipv4")", R"("type":"ipv6")");
  test.refuses_with(R"("pid":42)", R"("pid":43)");
  test.refuses_with(R"("name":"shop")", R"("name":"ksoftirqd/0")");
  test.refuses_with(R"("process":{"pid":42,"name":"shop"},)", "");
  test.refuses_with(R"("client":{"address":"10.0.0.2","port":5002},)", "");
  test.refuses_with(R"("owners":1)", R"("owners":2)");
  test.refuses_with(R"("depth":3)", R"("depth":2)");
  test.refuses_with(R"("limit":2)", R"("limit":3)");
  test.refuses_with(R"("count":1)", R"("count":2)");
  test.refuses_with(R"("count":1)", R"("count":0)");
  test.refuses_with(R"("source":"fentry")", R"("source":"kprobe")");
  test.refuses_with(R"("kind":"event",)", R"("kind":"event","reason2":"-",)");
  test.refuses_with(R"("pid":42,"name":"shop")", R"("name":"shop","pid":42)");
  test.refuses_with("000000000Z", "000000Z");
  test.refuses_with(now_text().substr(0, 4), "1999");
}

void test_counts(SelfTest& test) {
  const Lines right = right_lines();
  test.refuses("one missing", {right[0]}, right_world());
  test.refuses("one twice", {right[0], right[1], right[1]}, right_world());
  test.refuses("one extra", {right[0], right[1], replaced(right[1], "5002", "5003")},
               right_world());
  WorldReport counted = right_world();
  counted.measured["ListenDrops"] = 3;
  test.refuses("the kernel counted one more", right, counted);

  const std::string folded = replaced(right[1], R"("count":1)", R"("count":2)");
  test.refuses("folded where it must not be", {folded}, right_world());
  WorldReport folds = right_world();
  folds.expected[0].folds = true;
  test.accepts("folded where it has to be", {folded}, folds);
  test.refuses("one by one where it has to be folded", right, folds);
  test.refuses("folded and one by one", {folded, right[0]}, folds);
  test.refuses("folded with a client that was not there",
               {replaced(folded, R"("port":5002)", R"("port":5003)")}, folds);

  const std::string warning =
      replaced(right[1], R"("action":"listen_drop","reason":"accept_queue_full")",
               R"("action":"queue_pressure")");
  WorldReport quiet = right_world();
  test.accepts("an early warning", {right[0], right[1], warning}, quiet);
  quiet.quiet = true;
  test.refuses("an early warning where all is quiet", {right[0], right[1], warning}, quiet);
}

void test_blind_spots(SelfTest& test) {
  const Lines right = right_lines();
  const BlindSpot all{"listen_drop", "accept_queue_full", "syn", "", "no reason"};
  const BlindSpot other_stage{"listen_drop", "accept_queue_full", "ack", "", "no reason"};
  const BlindSpot client{"listen_drop", "", "", "client.port", "no reason"};
  const BlindSpot client_address{"listen_drop", "", "", "client.address", "no reason"};
  test.accepts("nothing, where the tier is blind", {}, right_world(), {all});
  test.refuses("nothing, where it is blind to something else", {}, right_world(), {other_stage});
  test.refuses("too much, where it is blind", {right[0], right[1], right[1]}, right_world(), {all});
  const std::string nameless_line =
      replaced(replaced(right_drop, "@NOW@", now_text()),
               R"("client":{"address":"10.0.0.2","port":@PORT@},)", "");
  const Lines nameless = {nameless_line, nameless_line};
  test.accepts("no client, where the field is blind", nameless, right_world(),
               {client, client_address});
  test.refuses("no client, where only its address is", nameless, right_world(), {client_address});
}

void test_lists(SelfTest& test) {
  const BlindSpot overflow{"listen_drop", "accept_queue_full", "syn", "", "a reason"};
  const BlindSpot reset{"reset_sent", "", "", "client.port", "a reason"};
  const auto differ = [&](const std::vector<BlindSpot>& said) {
    return !differences({overflow, reset}, said, "check").empty();
  };
  test.check("check says what the list says", !differ({reset, overflow}));
  test.check("check keeps a blind spot to itself", differ({overflow}));
  test.check("check admits more than the list", differ({overflow, reset, {"reset_sent"}}));
  const auto written = to_blind_list({overflow, reset});
  test.check("a list is read as it was written",
             differences(parse_blind_list(written), {overflow, reset}, "it").empty());
  for (const BlindList& list : blind_lists) {
    test.check(cat(list.name, ".tsv is a list"),
               to_blind_list(parse_blind_list(list.text)) == list.text);
  }

  const auto is_told = [&](const std::vector<BlindSpot>& told, const char* outcome = "unknown") {
    return judge_told(right_world(), {overflow}, told, outcome).failures.empty();
  };
  test.check("a blind spot that was told", is_told({overflow}));
  test.check("one that nobody was told of", !is_told({reset}));
  test.check("losses, and a summary that all is well", !is_told({overflow}, "well"));

  const auto said = blind_of_start(
      R"({"acceptwatch":{"blind":[{"action":"listen_drop","reason":"accept_queue_full","stage":"syn","why":"x"}]}})");
  test.check("the blind spots of a start record", said && *said == std::vector{overflow});
  test.check("a start record that does not speak of them",
             !blind_of_start(R"({"acceptwatch":{}})"));
}

void test_chance(SelfTest& test) {
  WorldReport world = right_world();
  world.by_chance = true;
  world.expected[0].clients.clear();
  const auto is_right = [&](const Lines& lines, const std::vector<BlindSpot>& blind = {}) {
    std::deque<Record> records;
    std::vector<const Record*> all;
    for (const std::string& line : lines) {
      records.push_back(parse_record(line));
      all.push_back(&records.back());
    }
    return judge_chance(world, all, blind, 0).failures.empty();
  };
  const Lines right = right_lines();
  const BlindSpot overflow{"listen_drop", "accept_queue_full", "", "", "no reason"};
  test.check("by chance: as much as the kernel counted", is_right(right));
  test.check("by chance: less", !is_right({right[0]}));
  test.check("by chance: more", !is_right({right[0], right[1], right[1]}));
  test.check("by chance: less, where that is out of sight", is_right({right[0]}, {overflow}));
  test.check("by chance: more, where that is out of sight",
             !is_right({right[0], right[1], right[1]}, {overflow}));
  test.check("by chance: another stage",
             !is_right({right[0], replaced(right[1], R"("stage":"syn")", R"("stage":"ack")")}));
  test.check("by chance: another owner",
             !is_right({right[0], replaced(right[1], R"("pid":42)", R"("pid":43)")}));
}

constexpr const char* right_audit =
    R"({"event":{"action":"audit"},"acceptwatch":{"netns":7,"audit":{"counters":{)"
    R"("ListenOverflows":{"kernel":2,"explained":2},"ListenDrops":{"kernel":2,"explained":2},)"
    R"("OutRsts":{"kernel":3,"explained":1,"difference":"others'"}}}}})";
constexpr const char* end_of_audit =
    R"({"event":{"action":"audit"},"acceptwatch":{"audit":{"namespaces":1,"left_out":0}}})";

bool audit_is_right(const std::string& line, const WorldReport& world,
                    const std::vector<BlindSpot>& blind = {}, uint64_t lost = 0,
                    const Lines& lines = {}) {
  std::vector<Record> records;
  for (const std::string& record : lines) {
    records.push_back(parse_record(record));
  }
  std::vector<const Record*> all;
  for (const Record& record : records) {
    all.push_back(&record);
  }
  const auto records_of = [&](uint64_t) -> const std::vector<const Record*>& { return all; };
  const Summary summary = parse_summary({line, end_of_audit});
  return judge_audit({&world}, summary.audit, records_of, blind, lost).failures.empty();
}

std::string audit_with(const std::string& what, const std::string& by) {
  return replaced(right_audit, what, by);
}

void test_audit(SelfTest& test) {
  const WorldReport world = right_world();
  const std::string drops = R"("ListenDrops":{"kernel":2,"explained":2})";
  const std::string one_more = R"("ListenDrops":{"kernel":3,"explained":2,"difference":"a cause"})";
  const std::string unseen = R"("ListenDrops":{"kernel":2,"explained":0,"difference":"blind"})";
  const std::string overflows = R"("ListenOverflows":{"kernel":2,"explained":2})";
  const std::string no_overflows =
      R"("ListenOverflows":{"kernel":2,"explained":0,"difference":"blind"})";
  const BlindSpot spot{"listen_drop", "accept_queue_full", "", "", "no reason"};

  test.check("the right audit", audit_is_right(right_audit, world));
  test.check("no audit", !audit_is_right("{}", world));
  const std::string too_little = audit_with(drops, one_more);
  test.check("an audit that explains too little", !audit_is_right(too_little, world));
  test.check("the same, and one is lost", audit_is_right(too_little, world, {}, 1));
  test.check(
      "an audit that explains too much",
      !audit_is_right(audit_with(drops, R"("ListenDrops":{"kernel":2,"explained":3})"), world));
  test.check(
      "an audit that invents what the kernel counted",
      !audit_is_right(audit_with(drops, R"("ListenDrops":{"kernel":1,"explained":1})"), world));
  test.check("an audit that explains more resets than there were",
             !audit_is_right(
                 audit_with(R"("kernel":3,"explained":1)", R"("kernel":3,"explained":4)"), world));
  test.check("a difference without a cause",
             !audit_is_right(audit_with(R"(,"difference":"others'")", ""), world));
  std::string blind = audit_with(drops, unseen);
  blind = replaced(blind, overflows, no_overflows);
  test.check("an audit that explains nothing", !audit_is_right(blind, world));
  test.check("the same, where the tier is blind", audit_is_right(blind, world, {spot}));
  test.check("the right audit, where the tier need not have seen it",
             audit_is_right(right_audit, world, {spot}, 0, right_lines()));
  test.check("an audit that explains what nobody has seen",
             !audit_is_right(right_audit, world, {spot}));
  WorldReport other = right_world();
  other.netns = 8;
  test.check("an audit without a namespace", !audit_is_right(right_audit, other));
}

} // namespace

bool run_self_test() {
  SelfTest test;
  test.accepts("the right records", right_lines(), right_world());
  test_fields(test);
  test_counts(test);
  test_blind_spots(test);
  test_lists(test);
  test_chance(test);
  test_audit(test);
  return test.passed();
}

} // namespace acceptwatch::scenarios
