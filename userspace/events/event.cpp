// SPDX-License-Identifier: Apache-2.0
#include "events/event.h"

#include <arpa/inet.h>

namespace acceptwatch {

std::string to_string(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!inet_ntop(address.family, address.bytes.data(), text.data(), text.size()))
    return {};
  return text.data();
}

} // namespace acceptwatch
