// SPDX-License-Identifier: Apache-2.0
#include "core/record.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/pointer.h>

#include <charconv>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

std::string as_text(const rapidjson::Value& value) {
  if (value.IsString()) {
    return {value.GetString(), value.GetStringLength()};
  }
  if (value.IsUint64()) {
    return std::to_string(value.GetUint64());
  }
  if (value.IsInt64()) {
    return std::to_string(value.GetInt64());
  }
  if (value.IsBool()) {
    return value.GetBool() ? "true" : "false";
  }
  return value.IsNull() ? "null" : cat(value.GetDouble());
}

void flatten(const rapidjson::Value& value, const std::string& path, Record& record) {
  if (value.IsObject()) {
    for (const auto& member : value.GetObject()) {
      const std::string name = member.name.GetString();
      record.keys[path].push_back(name);
      flatten(member.value, path.empty() ? name : cat(path, ".", name), record);
    }
  } else if (!value.IsArray()) {
    if (!record.fields.emplace(path, as_text(value)).second) {
      throw Failure("the key " + path + " appears twice");
    }
    if (value.IsNumber()) {
      record.numbers.insert(path);
    }
  }
}

Audit::Counters audited_counters(const rapidjson::Value& object) {
  Audit::Counters counters;
  for (const auto& member : object.GetObject()) {
    Record flat;
    flatten(member.value, "", flat);
    const auto kernel = flat.number("kernel");
    const auto explained = flat.number("explained");
    if (!kernel || !explained) {
      throw Failure(cat("the audit of ", member.name.GetString(), " has no two numbers"));
    }
    counters[member.name.GetString()] = {*kernel, *explained, flat.field("difference").has_value()};
  }
  return counters;
}

// A namespace has a record of its own, or several where its line would be too long; then comes one
// that says how many had none. The last ones of the run count.
void take_audit(const rapidjson::Document& document, Audit& audit) {
  const auto* netns = rapidjson::Pointer("/acceptwatch/netns").Get(document);
  const auto* counters = rapidjson::Pointer("/acceptwatch/audit/counters").Get(document);
  const auto* left_out = rapidjson::Pointer("/acceptwatch/audit/left_out").Get(document);
  if (audit.is_there) { // an earlier one of the run
    audit = {};
  }
  if (netns != nullptr && counters != nullptr && counters->IsObject()) {
    if (rapidjson::Pointer("/acceptwatch/audit/gone").Get(document) == nullptr) {
      audit.namespaces[netns->GetUint64()].merge(audited_counters(*counters));
    }
  }
  if (left_out != nullptr) {
    audit.is_there = true;
    audit.left_out = left_out->GetUint64();
  }
}

void take_total(const rapidjson::Document& document, Summary& summary) {
  Record flat;
  flatten(document, "", flat);
  summary.totals.push_back(
      {flat.field("acceptwatch.total.action").value_or(""),
       flat.field("acceptwatch.total.reason").value_or(""),
       static_cast<uint64_t>(flat.number("acceptwatch.netns").value_or(0)),
       static_cast<uint64_t>(flat.number("acceptwatch.total.count").value_or(0))});
}

} // namespace

std::optional<std::string> Record::field(const std::string& path) const {
  const auto found = fields.find(path);
  return found == fields.end() ? std::nullopt : std::optional(found->second);
}

std::optional<int64_t> Record::number(const std::string& path) const {
  const auto text = field(path);
  int64_t value = 0;
  if (!text ||
      std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) {
    return std::nullopt;
  }
  return value;
}

std::string Record::brief() const {
  std::string out;
  for (const auto& [path, value] : fields) {
    if (path != "@timestamp" && path != "event.kind" && path != "network.transport") {
      out += cat(out.empty() ? "" : " ", path, "=", value);
    }
  }
  return out;
}

Record parse_record(const std::string& line) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag>(
      line.data(), line.size());
  if (document.HasParseError()) {
    throw Failure(cat("not JSON (", rapidjson::GetParseError_En(document.GetParseError()), ")"));
  }
  if (!document.IsObject()) {
    throw Failure("not a JSON object");
  }
  Record record;
  record.line = line;
  flatten(document, "", record);
  const auto* frames = rapidjson::Pointer("/acceptwatch/owner_state/stacks/0/frames").Get(document);
  if (frames != nullptr && frames->IsArray()) {
    for (const auto& frame : frames->GetArray()) {
      record.kernel_functions.insert(as_text(frame));
    }
  }
  record.kind = record.field("event.kind").value_or("");
  record.action = record.field("event.action").value_or("");
  record.reason = record.field("event.reason").value_or("");
  record.stage = record.field("acceptwatch.stage").value_or("");
  record.count = static_cast<uint64_t>(record.number("acceptwatch.count").value_or(0));
  record.netns = static_cast<uint64_t>(record.number("acceptwatch.netns").value_or(0));
  return record;
}

Summary parse_summary(const std::vector<std::string>& lines) {
  Summary summary;
  for (const std::string& line : lines) {
    rapidjson::Document document;
    document.Parse(line.data(), line.size());
    const auto* action = rapidjson::Pointer("/event/action").Get(document);
    const std::string name = action != nullptr && action->IsString() ? action->GetString() : "";
    if (name == "total") {
      take_total(document, summary);
    } else if (name == "audit") {
      take_audit(document, summary.audit);
    } else if (name == "summary") {
      summary.is_complete =
          rapidjson::Pointer("/acceptwatch/summary/other").Get(document) == nullptr;
      if (const auto* outcome = rapidjson::Pointer("/acceptwatch/summary/outcome").Get(document)) {
        summary.outcome = outcome->GetString();
      }
    }
  }
  return summary;
}

} // namespace acceptwatch::scenarios
