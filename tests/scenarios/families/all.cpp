// SPDX-License-Identifier: Apache-2.0
#include "families/families.h"

namespace acceptwatch::scenarios {

std::vector<Scenario> all_scenarios(size_t connections_of_races) {
  std::vector<Scenario> all;
  for (auto family :
       {storm_scenarios, synack_scenarios, accept_queue_syn_scenarios, accept_queue_ack_scenarios,
        syn_queue_scenarios, cookie_scenarios, reset_scenarios, client_scenarios,
        after_accept_scenarios, lookalike_scenarios, burst_scenarios, reuseport_scenarios,
        owner_scenarios, holder_scenarios, filter_scenarios, way_scenarios, mptcp_scenarios,
        quiet_scenarios}) {
    for (Scenario& scenario : family()) {
      all.push_back(std::move(scenario));
    }
  }
  for (Scenario& race : race_scenarios(connections_of_races)) {
    all.push_back(std::move(race));
  }
  return all;
}

} // namespace acceptwatch::scenarios
