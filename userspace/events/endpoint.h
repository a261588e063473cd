// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <string>

namespace acceptwatch {

/// "10.0.0.5:80", "[2001:db8::5]:80"
[[nodiscard]] std::string endpoint_text(const Address& address, uint16_t port);

} // namespace acceptwatch
