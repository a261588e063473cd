// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/stage.h"

namespace acceptwatch::scenarios {

std::vector<Scenario> accept_queue_ack_scenarios();
std::vector<Scenario> accept_queue_syn_scenarios();
std::vector<Scenario> after_accept_scenarios();
std::vector<Scenario> burst_scenarios();
std::vector<Scenario> client_scenarios();
std::vector<Scenario> cookie_scenarios();
std::vector<Scenario> filter_scenarios();
std::vector<Scenario> holder_scenarios();
std::vector<Scenario> lookalike_scenarios();
std::vector<Scenario> mptcp_scenarios();
std::vector<Scenario> owner_scenarios();
std::vector<Scenario> quiet_scenarios();
std::vector<Scenario> reset_scenarios();
std::vector<Scenario> reuseport_scenarios();
std::vector<Scenario> storm_scenarios();
std::vector<Scenario> syn_queue_scenarios();
std::vector<Scenario> synack_scenarios();
std::vector<Scenario> way_scenarios();

// Of so many connections each.
std::vector<Scenario> race_scenarios(size_t connections);

// Every scenario there is, those that wait for timers first.
std::vector<Scenario> all_scenarios(size_t connections_of_races);

} // namespace acceptwatch::scenarios
