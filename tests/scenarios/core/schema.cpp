// SPDX-License-Identifier: Apache-2.0
#include "core/schema.h"

#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <fstream>
#include <iterator>

#include "core/error.h"

namespace acceptwatch::scenarios {

struct Schema::Loaded {
  rapidjson::Document text;
  std::unique_ptr<rapidjson::SchemaDocument> rules;
};

namespace {

std::string pointer_text(const rapidjson::Pointer& pointer) {
  rapidjson::StringBuffer buffer;
  pointer.StringifyUriFragment(buffer);
  return buffer.GetString();
}

} // namespace

Schema::Schema(const std::string& path) : loaded_(std::make_unique<Loaded>()) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // RapidJSON 1.1 knows "$defs" by its older name alone.
  const std::string name = "$defs";
  for (size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
    text.replace(at, name.size(), "definitions");
  }
  loaded_->text.Parse(text.c_str(), text.size());
  if (!file || loaded_->text.HasParseError()) {
    throw Failure("no JSON Schema in " + path);
  }
  loaded_->rules = std::make_unique<rapidjson::SchemaDocument>(loaded_->text);
}

Schema::~Schema() = default;

std::string Schema::complaint(const std::string& line) const {
  rapidjson::Document document;
  document.Parse(line.data(), line.size());
  if (document.HasParseError()) {
    return "not JSON";
  }
  rapidjson::SchemaValidator validator(*loaded_->rules);
  if (document.Accept(validator)) {
    return "";
  }
  return cat("breaks \"", validator.GetInvalidSchemaKeyword(), "\" of ",
             pointer_text(validator.GetInvalidSchemaPointer()), " at ",
             pointer_text(validator.GetInvalidDocumentPointer()));
}

} // namespace acceptwatch::scenarios
