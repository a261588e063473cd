// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"
#include "output/json_writer.h"

namespace acceptwatch {

[[nodiscard]] std::string_view name_of(Confidence confidence);
[[nodiscard]] std::string_view name_of(FindingState state);

/// The member "finding": its state, the verdict's sentence, evidence and advice.
void write_finding(JsonWriter& json, const Verdict& verdict);

/// For `explain`: name, place, owner, and what write_finding() writes.
void write_found(JsonWriter& json, const Event& event);

/// What a listener lost, how many connections came and were accepted, and how long they waited.
void write_flows_and_waits(JsonWriter& json, const ListenerReport& report);

/// The same with the listener, for `explain`.
void write_listener_report(JsonWriter& json, const ListenerReport& report);

void write_percentiles(JsonWriter& json, std::string_view key,
                       const std::optional<Percentiles>& percentiles);

/// What was found, with advice, for people: a paragraph each. Empty: nothing was.
[[nodiscard]] std::string findings_text(const std::vector<Event>& findings);

/// Of the listeners in a report, which begins with those that lost most.
inline constexpr size_t max_listeners_shown = 16;

/// A table of the first listeners with their queues, losses and waits. Empty: there is none.
[[nodiscard]] std::string listeners_text(const std::vector<ListenerReport>& listeners);

} // namespace acceptwatch
