// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace acceptwatch {

/// The TCP port of a service, by its name or an alias, from the text of services(5). Read here:
/// getservbyname() loads shared libraries, which a static binary may not find.
[[nodiscard]] std::optional<uint16_t> port_of_service(std::string_view name,
                                                      std::string_view services);

/// The same, from /etc/services. Absent as well if that cannot be read.
[[nodiscard]] std::optional<uint16_t> port_of_service(std::string_view name);

} // namespace acceptwatch
