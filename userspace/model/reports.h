// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/waits.h"
#include "model/flows.h"
#include "model/incidents.h"
#include "model/table.h"

#include <span>
#include <unordered_map>

namespace acceptwatch {

/// By aw_listener.id: the times of its connections, as they were read last.
using WaitsByListener = std::unordered_map<uint64_t, Waits>;

/// What listeners went through: those that lost something, accepted something or let somebody
/// wait. Those with losses first, then the slowest.
[[nodiscard]] std::vector<ListenerReport>
report_listeners(const Scope& scope, const ListenerTable& table, std::span<const Counter> counters,
                 const WaitsByListener& waits, const Flows& flows, const Incidents& incidents);

} // namespace acceptwatch
