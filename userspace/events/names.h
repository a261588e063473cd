// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <optional>
#include <string_view>

namespace acceptwatch {

/// The public names, as they stand in records and options. Empty for "none".
[[nodiscard]] std::string_view name_of(aw_action action);
[[nodiscard]] std::string_view name_of(aw_reason reason);
[[nodiscard]] std::string_view name_of(aw_stage stage);
[[nodiscard]] std::string_view name_of(aw_hook hook);
[[nodiscard]] std::string_view name_of(aw_source source);

[[nodiscard]] std::optional<aw_action> action_named(std::string_view name);
[[nodiscard]] std::optional<aw_reason> reason_named(std::string_view name);
[[nodiscard]] std::optional<aw_source> source_named(std::string_view name);

/// What happened, in the words of an engineer who has not read the manual; at
/// most 30 characters, for lines of 80.
[[nodiscard]] std::string_view phrase_of(aw_action action, aw_reason reason, aw_stage stage);

/// ECS event.type beside "connection": denied, error, info, start or end.
[[nodiscard]] std::string_view ecs_type_of(aw_action action, aw_reason reason);

} // namespace acceptwatch
