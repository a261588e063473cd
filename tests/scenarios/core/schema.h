// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

namespace acceptwatch::scenarios {

// The published JSON Schema of the records.
class Schema {
public:
  explicit Schema(const std::string& path);
  ~Schema();

  // Empty when the line is valid, else which rule it breaks where.
  std::string complaint(const std::string& line) const;

private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

} // namespace acceptwatch::scenarios
