// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/netns.h"

namespace acceptwatch::scenarios {

// A cable from one namespace to another, for clients that are the kernel's own and not this host's.
namespace veth {

inline const std::string server_address = "10.99.0.1";
inline const std::string client_address = "10.99.0.2";
inline const std::string second_client_address = "10.99.0.3";

// Leaves the caller in `clients`.
void connect(const NetNamespace& server, const NetNamespace& clients);

} // namespace veth

} // namespace acceptwatch::scenarios
