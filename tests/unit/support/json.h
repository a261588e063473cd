// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <string>

namespace acceptwatch::unit {

/// Parses one line as a consumer would: strictly, UTF-8 checked.
inline rapidjson::Document parse_line(const std::string& line) {
  rapidjson::Document document;
  EXPECT_TRUE(line.ends_with('\n')) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1) << "one object is one line: " << line;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(line.data(), line.size() - 1);
  EXPECT_FALSE(document.HasParseError()) << line;
  return document;
}

/// The value at "/acceptwatch/stage", or null.
inline const rapidjson::Value* at(const rapidjson::Document& document, const char* pointer) {
  return rapidjson::Pointer{pointer}.Get(document);
}

inline std::string text_at(const rapidjson::Document& document, const char* pointer) {
  const auto* value = at(document, pointer);
  if (!value || !value->IsString())
    return "(no string)";
  return {value->GetString(), value->GetStringLength()};
}

} // namespace acceptwatch::unit
