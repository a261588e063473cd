// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/type_info.h"

#include <map>
#include <optional>
#include <string>

namespace acceptwatch {

/// Number of arguments of a kernel function; absent: there is no such function.
[[nodiscard]] std::optional<unsigned> function_arguments(const TypeInfo& types,
                                                         const std::string& name);
/// The same of several; those that are not there are left out.
[[nodiscard]] std::map<std::string, unsigned>
function_arguments(const TypeInfo& types, const std::vector<std::string>& names);

/// The offset of a member, in bytes. Members of structs inside of it are not found.
[[nodiscard]] std::optional<uint16_t> member_offset(const TypeInfo& types, const char* structure,
                                                    std::string_view member);

/// Whether the function's first argument points to a struct whose members BTF describes. On 5.10
/// some functions have a forward declaration there, and then programs cannot follow the pointer.
[[nodiscard]] bool takes_struct(const TypeInfo& types, const std::string& name);

/// Numbers of arguments of tracepoints, not counting the context, which comes first in BTF.
[[nodiscard]] std::map<std::string, unsigned>
tracepoint_arguments(const TypeInfo& types, const std::vector<std::string>& names);

/// The number of an enumerator.
[[nodiscard]] std::optional<int> enumerator(const TypeInfo& types, const std::string& enum_name,
                                            const std::string& name);

/// The number of an enumerator in the unnamed enum that begins with `first`.
[[nodiscard]] std::optional<int> enumerator_after(const TypeInfo& types, const std::string& first,
                                                  const std::string& name);

/// Whether there is a per-CPU variable of that name, which programs can refer to.
[[nodiscard]] bool has_variable(const TypeInfo& types, const std::string& name);

/// All enumerators, name by number; none where there is no such enum.
[[nodiscard]] std::map<int, std::string> enumerators(const TypeInfo& types,
                                                     const std::string& enum_name);

} // namespace acceptwatch
