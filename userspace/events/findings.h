// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace acceptwatch {

/// How bad a finding is, as ECS's event.severity has it: the scale that alert rules there use.
enum class Severity : uint8_t { low = 21, medium = 47, high = 73, critical = 99 };

/// What is known of a finding before it is made. docs/findings.md has a section on each.
struct FindingKind {
  std::string_view name;
  Severity severity;
  std::string_view what; ///< a sentence without its full stop
};

/// The closed set of findings, in the order of docs/findings.md. Schema, manual and documents are
/// checked against it.
[[nodiscard]] std::span<const FindingKind> finding_kinds();

/// Null: there is no finding of this name.
[[nodiscard]] const FindingKind* finding_kind(std::string_view name);

} // namespace acceptwatch
