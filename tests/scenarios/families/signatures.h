// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/socket.h"

// What a listener demands of a client's packets. Each throws Skip when the kernel has none of it.
namespace acceptwatch::scenarios {

// RFC 2385 (TCP_MD5SIG), or no longer.
void want_signatures(const Listener& listener, const std::string& client);
void want_no_signatures(const Listener& listener, const std::string& client);

// RFC 5925 (TCP-AO), of an IPv4 client that signs with the key of this number.
void want_authentication(const Listener& listener, const std::string& client, uint8_t key);
// The option of a packet that a client has signed so: wrongly, for it is all zero.
std::vector<uint8_t> wrong_authentication(uint8_t key);

} // namespace acceptwatch::scenarios
