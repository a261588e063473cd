// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace acceptwatch {

/// A key of records, or an object of keys that belong together.
struct Field {
  std::string_view path;    ///< "acceptwatch.accept_queue"
  std::string_view label;   ///< of the column in text that shows it; empty: none does
  std::string_view unit;    ///< empty: none, or the keys below have their own
  std::string_view meaning; ///< a sentence without its full stop
};

/// Everything that a record can have, in the order of its keys. Text columns, the schema and the
/// manual's FIELDS are checked against it.
[[nodiscard]] std::span<const Field> fields();

} // namespace acceptwatch
