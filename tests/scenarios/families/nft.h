// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace acceptwatch::scenarios {

// Where a rule sees packets: on their way in, or out. The first is the TUN device's own.
enum class Hook { ingress = 5, prerouting = 0, input = 1, forward = 2, output = 3 };

// Of the rules below.
inline constexpr const char* firewall_table = "acceptwatch_scenarios";
inline constexpr const char* firewall_chain = "drops";

// Drops TCP packets of the current namespace whose destination port (output: source port) is this
// one, and whose other port is `others_from` or above, by nf_tables as `nft add rule` would do
// it. Throws Skip when the kernel has no nf_tables.
void drop_by_firewall(Hook hook, uint16_t port, uint16_t others_from = 0);

// Sends what comes to that port of any address on to another end (DNAT); IPv4. Throws Skip when the
// kernel has no translation.
void translate(uint16_t port, const std::string& to_address, uint16_t to_port);

// The same with an answer: `reject with tcp reset`.
void reject_by_firewall(Hook hook, uint16_t port, uint16_t others_from = 0);

} // namespace acceptwatch::scenarios
