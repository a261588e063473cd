// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "output/json_writer.h"

namespace acceptwatch {

void write_open_files(JsonWriter& json, std::string_view key, const FileUsage& files);

/// What of it has room in a line.
struct StateRoom {
  size_t stacks = 0;
  bool kernel_waits = false;
};

/// The member "owner_state", where it is known.
void write_owner_state(JsonWriter& json, const std::optional<OwnerState>& state,
                       const StateRoom& room);

} // namespace acceptwatch
