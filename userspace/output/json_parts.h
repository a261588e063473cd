// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "output/json_writer.h"

namespace acceptwatch {

// Parts that several kinds of record have. Each is left out if it is not known.

/// One end of a connection, under "server" or "client".
void write_end(JsonWriter& json, std::string_view key, const std::optional<Address>& address,
               std::optional<uint16_t> port, const std::optional<OwnEnd>& nat = {});

/// `family`: AF_INET, AF_INET6; 0: not known.
void write_network(JsonWriter& json, uint16_t family, std::string_view device = {});

void write_queue(JsonWriter& json, std::string_view key, const std::optional<Queue>& queue,
                 std::optional<double> oldest_seconds, std::optional<uint32_t> peak = {});

/// `started`: when the process was.
void write_owner(JsonWriter& json, const std::optional<Owner>& owner,
                 std::optional<Timestamp> started = {});

/// The container that the owner is in.
void write_container(JsonWriter& json, const std::optional<Owner>& owner);

/// The end of a record, which is a line: of its "acceptwatch", and of itself.
void end_record(JsonWriter& json, std::string& out);

/// A line has at most so many bytes, its newline among them.
inline constexpr size_t max_line = 4096;

/// As much of a text as takes `most` bytes in JSON, where a control character takes six; "..."
/// after what was cut.
[[nodiscard]] std::string fitting(std::string_view text, size_t most);

/// A number that doubles, which many consumers read, would round.
void write_as_text(JsonWriter& json, std::string_view key, uint64_t number);

/// When, where and by what a document of its own was made: of those that are no record.
struct Origin {
  Timestamp time = 0;
  std::string host; ///< its name; empty: not known
  std::string version;
};

/// The members "@timestamp" and "host".
void write_time_and_host(JsonWriter& json, Timestamp time, std::string_view host);

} // namespace acceptwatch
