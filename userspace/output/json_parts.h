// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "output/json_writer.h"

namespace acceptwatch {

// Parts that several kinds of record have. Each is left out if it is not known.

/// One end of a connection, under "server" or "client".
void write_end(JsonWriter& json, std::string_view key, const std::optional<Address>& address,
               std::optional<uint16_t> port);

/// `family`: AF_INET, AF_INET6; 0: not known.
void write_network(JsonWriter& json, uint16_t family);

/// `started`: when the process was.
void write_owner(JsonWriter& json, const std::optional<Owner>& owner,
                 std::optional<Timestamp> started = {});

/// Cut: a line holds at most 16 KiB (the contract), and a hostile byte takes six.
void write_cgroup(JsonWriter& json, const std::string& path);

} // namespace acceptwatch
