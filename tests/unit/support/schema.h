// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "support/json.h"

#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>
#include <string>

namespace acceptwatch::unit {

/// RapidJSON 1.1 knows "$defs" by its older name alone.
inline rapidjson::Document schema_text(const std::string& file) {
  rapidjson::Document document;
  auto text = read_file(TEST_DATA "/../../../docs/schema/" + file).value_or("");
  constexpr std::string_view name = "$defs";
  for (size_t at = 0; (at = text.find(name, at)) != std::string::npos;)
    text.replace(at, name.size(), "definitions");
  EXPECT_FALSE(document.Parse(text.c_str()).HasParseError()) << file;
  return document;
}

/// One of docs/schema/. They keep to what RapidJSON knows of JSON Schema.
class Schema {
public:
  explicit Schema(const std::string& file) : text_(schema_text(file)), rules_(text_) {}

  /// "": the line is valid; else which keyword it breaks, and where in the line.
  [[nodiscard]] std::string complaint(const std::string& line) const {
    rapidjson::SchemaValidator validator{rules_};
    if (parse_line(line).Accept(validator))
      return "";
    rapidjson::StringBuffer where;
    validator.GetInvalidDocumentPointer().StringifyUriFragment(where);
    return std::string{validator.GetInvalidSchemaKeyword()} + " at " + where.GetString();
  }

  [[nodiscard]] const rapidjson::Document& text() const { return text_; }

private:
  rapidjson::Document text_;
  rapidjson::SchemaDocument rules_;
};

} // namespace acceptwatch::unit
