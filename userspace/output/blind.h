// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/blind_spot.h"
#include "output/json_writer.h"

#include <span>
#include <string>

namespace acceptwatch {

enum class BlindDetail { why, with_remedy };

/// The member "blind": what could not be seen, and why; each reason in so many bytes at most; with
/// less than 100, those of absent fields are left out. In a start record (BlindDetail::why) fields
/// of one kind of event are joined.
void write_blind(JsonWriter& json, std::span<const BlindSpot> blind, BlindDetail detail,
                 size_t longest_why = std::string::npos);

} // namespace acceptwatch
