// SPDX-License-Identifier: Apache-2.0
#include "events/endpoint.h"

#include <fmt/format.h>
#include <sys/socket.h>

namespace acceptwatch {

std::string endpoint_text(const Address& address, uint16_t port) {
  const auto ip = to_string(address);
  return address.family == AF_INET6 ? fmt::format("[{}]:{}", std::string_view{ip}, port)
                                    : fmt::format("{}:{}", std::string_view{ip}, port);
}

} // namespace acceptwatch
