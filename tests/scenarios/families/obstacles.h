// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/socket.h"

// What stands in the way of a handshake besides queues, and besides the firewall (nft.h).
namespace acceptwatch::scenarios {

// A socket filter (SO_ATTACH_FILTER) that lets everything pass, or nothing.
void attach_filter(const Listener& listener, bool passes);

// The listener wants RFC 2385 signatures of this client. Throws Skip when the kernel has none.
void want_signatures(const Listener& listener, const std::string& client);

// "unreachable", as `ip route add unreachable` would make it.
void add_unreachable(const std::string& address);

} // namespace acceptwatch::scenarios
