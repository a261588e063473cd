// SPDX-License-Identifier: Apache-2.0
// Fields, occurrences and findings have one table each. What is published says the same: the
// schema, the manual and the documents.
#include "diagnose/rules.h"
#include "events/counters.h"
#include "events/findings.h"
#include "events/names.h"
#include "events/occurrences.h"
#include "output/fields.h"
#include "output/text.h"
#include "support/schema.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <set>

namespace acceptwatch {
namespace {

using Names = std::set<std::string>;
using rapidjson::Value;

std::string document(const char* name) {
  return read_file(std::string{TEST_DATA "/../../../docs/"} + name).value_or("");
}

const rapidjson::Document& schema() {
  static const auto text = unit::schema_text("acceptwatch-event-1.json");
  return text;
}

const Value& resolved(const Value& rule) {
  if (!rule.IsObject() || !rule.HasMember("$ref"))
    return rule;
  const std::string name = rule["$ref"].GetString();
  return schema()["definitions"][name.substr(name.rfind('/') + 1).c_str()];
}

/// Calls `visit` with each path below a rule, and the rules of what it can be.
void walk(const Value& reference, const std::string& path,
          const std::function<void(const std::string&, const Value&)>& visit) {
  const Value& rule = resolved(reference);
  if (!path.empty())
    visit(path, rule);
  const auto below = [&](const std::string& name) {
    return path.empty() ? name : path + "." + name;
  };
  for (const char* alternatives : {"oneOf", "allOf"}) {
    if (rule.HasMember(alternatives)) {
      for (const auto& one : rule[alternatives].GetArray())
        walk(one, path, visit);
    }
  }
  if (rule.HasMember("properties")) {
    for (const auto& member : rule["properties"].GetObject())
      walk(member.value, below(member.name.GetString()), visit);
  }
  if (rule.HasMember("items"))
    walk(rule["items"], path + "[]", visit);
  if (rule.HasMember("additionalProperties"))
    walk(rule["additionalProperties"], below("*"), visit);
}

Names paths_of_schema() {
  Names paths;
  walk(schema(), "", [&](const std::string& path, const Value&) { paths.insert(path); });
  return paths;
}

Names enum_of(const char* definition) {
  Names names;
  for (const auto& name : schema()["definitions"][definition]["enum"].GetArray())
    names.insert(name.GetString());
  return names;
}

bool is_at_or_below(const std::string& path, std::string_view field) {
  return path == field ||
         (path.starts_with(field) && (path[field.size()] == '.' || path[field.size()] == '['));
}

/// The part of a text from one line to the next that begins so.
std::string part(const std::string& text, const std::string& from, const std::string& to) {
  const size_t begin = text.find(from);
  if (begin == std::string::npos)
    return {};
  return text.substr(begin, text.find(to, begin + from.size()) - begin);
}

TEST(Schema, HasOneTypeForEachKey) {
  std::map<std::string, Names> types;
  walk(schema(), "", [&](const std::string& path, const Value& rule) {
    if (rule.HasMember("type"))
      types[path].insert(rule["type"].GetString());
  });
  for (const auto& [path, of_path] : types)
    EXPECT_EQ(of_path.size(), 1U) << path;
}

TEST(FieldTable, HasEveryKeyOfTheSchema) {
  for (const auto& path : paths_of_schema()) {
    const bool known = std::ranges::any_of(fields(), [&](const Field& field) {
      return is_at_or_below(path, field.path) || is_at_or_below(std::string{field.path}, path);
    });
    EXPECT_TRUE(known) << path;
  }
}

TEST(FieldTable, HasNothingThatTheSchemaLacks) {
  const Names paths = paths_of_schema();
  for (const Field& field : fields())
    EXPECT_TRUE(paths.contains(std::string{field.path})) << field.path;
}

TEST(FieldTable, HasTheColumnsOfText) {
  for (const bool wide : {false, true}) {
    std::string header;
    TextFormatter{TextStyle{wide, false}}.format(Start{}, header);
    Names columns;
    for (size_t begin = header.find_first_not_of(" \n"); begin != std::string::npos;) {
      const size_t end = header.find_first_of(" \n", begin);
      columns.insert(header.substr(begin, end - begin));
      begin = header.find_first_not_of(" \n", end);
    }
    for (const auto& column : columns)
      EXPECT_TRUE(std::ranges::any_of(fields(), [&](const Field& f) { return f.label == column; }))
          << column;
  }
}

TEST(FieldTable, IsInTheManual) {
  const std::string manual = part(document("acceptwatch.8"), "\n.SH FIELDS", "\n.SH AUDIT");
  for (const Field& field : fields()) {
    const bool reserved = field.meaning.starts_with("Reserved");
    EXPECT_TRUE(reserved || manual.find(field.path) != std::string::npos) << field.path;
    EXPECT_NE(manual.find(field.label), std::string::npos) << field.label;
  }
}

TEST(FieldTable, HasWhatTheManualNames) {
  const std::string manual = part(document("acceptwatch.8"), "\n.SH FIELDS", "\n.SH AUDIT");
  const Names paths = paths_of_schema();
  for (size_t at = 0; (at = manual.find("acceptwatch.", at)) != std::string::npos; ++at) {
    auto path =
        manual.substr(at, manual.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.", at) - at);
    path.erase(path.find_last_not_of('.') + 1);
    EXPECT_TRUE(paths.contains(path)) << path;
  }
}

TEST(Occurrences, AreTheNamesOfTheSchema) {
  Names actions;
  Names reasons;
  Names stages;
  for (const auto& [action, reason, at] : occurrences()) {
    actions.emplace(name_of(action));
    reasons.emplace(name_of(reason));
    for (const aw_stage stage : at)
      stages.emplace(name_of(stage));
  }
  stages.emplace("closed"); // listener_closed has it, too
  for (Names* names : {&actions, &reasons, &stages})
    names->erase("");
  EXPECT_EQ(actions, enum_of("action"));
  EXPECT_EQ(reasons, enum_of("reason"));
  EXPECT_EQ(stages, enum_of("stage"));
}

/// The event's record as the schema would have it, at least as far as names go.
std::string line_with(std::string_view action, std::string_view reason, std::string_view stage,
                      std::string_view type) {
  return fmt::format(
      R"({{"@timestamp":"2026-11-22T12:17:03.120345678Z","event":{{"kind":"event",)"
      R"("category":["network"],"type":["connection","{}"],"action":"{}","reason":"{}",)"
      R"("sequence":0}},"server":{{"port":1}},"network":{{"transport":"tcp"}},)"
      R"("acceptwatch":{{{}"count":1,"retry":1,"source":"fentry"}}}})"
      "\n",
      type, action, reason, stage.empty() ? "" : fmt::format(R"("stage":"{}",)", stage));
}

TEST(Occurrences, AreWhatTheSchemaAllows) {
  const unit::Schema records{"acceptwatch-event-1.json"};
  for (int action = 1; action < AW_NR_ACTIONS; ++action) {
    for (int reason = 1; reason < AW_NR_REASONS; ++reason) {
      for (int stage = 1; stage < AW_NR_STAGES; ++stage) {
        bool has_reasons = false;
        bool allowed = false;
        for (const auto& one : occurrences()) {
          has_reasons |= one.action == action && one.reason;
          allowed |= one.action == action && one.reason == reason &&
                     (!one.stages[0] || std::ranges::count(one.stages, stage));
        }
        if (!has_reasons)
          continue;
        const auto line = line_with(
            name_of(static_cast<aw_action>(action)), name_of(static_cast<aw_reason>(reason)),
            name_of(static_cast<aw_stage>(stage)),
            ecs_type_of(static_cast<aw_action>(action), static_cast<aw_reason>(reason)));
        EXPECT_EQ(records.complaint(line).empty(), allowed) << line;
      }
    }
  }
}

TEST(Occurrences, HaveASectionInTheDocumentOfEvents) {
  const std::string events = document("events.md");
  for (const auto& one : occurrences()) {
    const auto section = part(events, fmt::format("\n## {}\n", name_of(one.action)), "\n## ");
    EXPECT_FALSE(section.empty()) << name_of(one.action);
    const auto heading = fmt::format("\n### {}", name_of(one.reason));
    EXPECT_TRUE(!one.reason || section.find(heading) != std::string::npos)
        << name_of(one.action) << heading;
  }
}

TEST(Occurrences, AreInTheManual) {
  const std::string manual = part(document("acceptwatch.8"), "\n.SH EVENTS", "\n.SH ");
  for (const auto& one : occurrences()) {
    const std::string action{name_of(one.action)};
    EXPECT_NE(manual.find(action), std::string::npos) << action;
    const auto entry = part(manual, ".TP\n.B " + action, "\n.TP");
    // `established` is explained with its option.
    EXPECT_TRUE(!one.reason || one.reason == AW_WHEN_ACCEPTED ||
                entry.find(name_of(one.reason)) != std::string::npos)
        << action << '/' << name_of(one.reason);
  }
}

TEST(FindingTable, HasTheFindingsOfTheRules) {
  Names kinds;
  for (const auto& kind : finding_kinds())
    kinds.emplace(kind.name);
  Names rules;
  for (const auto name : finding_names())
    rules.emplace(name);
  EXPECT_EQ(kinds, rules);
  EXPECT_EQ(kinds, enum_of("finding_name"));
}

TEST(FindingTable, IsInTheDocumentOfFindings) {
  const std::string findings = document("findings.md");
  for (const auto& kind : finding_kinds()) {
    const bool has_section = findings.find(fmt::format("\n### {}\n", kind.name)) != findings.npos;
    // Those that are events of the same name have one section together.
    EXPECT_TRUE(has_section || findings.find(fmt::format("`{}`", kind.name)) != findings.npos)
        << kind.name;
  }
}

TEST(FindingTable, IsInTheManual) {
  const std::string manual = part(document("acceptwatch.8"), "\n.SH FINDINGS", "\n.SH ");
  for (const auto& kind : finding_kinds())
    EXPECT_NE(manual.find(kind.name), std::string::npos) << kind.name;
}

TEST(KernelCounters, AreInTheManual) {
  const std::string manual = part(document("acceptwatch.8"), "\n.SH AUDIT", "\n.SH ");
  for (size_t i = 0; i < nr_kernel_counters; ++i) {
    const auto name = name_of(static_cast<KernelCounter>(i)).name;
    EXPECT_NE(manual.find(name), std::string::npos) << name;
  }
}

} // namespace
} // namespace acceptwatch
