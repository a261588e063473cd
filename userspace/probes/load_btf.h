// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "kernel/type_info.h"

#include <optional>
#include <string>

namespace acceptwatch {

/// The running kernel's type information; absent where it carries none. Fails where that cannot be
/// known, as without memory.
[[nodiscard]] Result<std::optional<TypeInfo>> load_kernel_btf();

/// That of a module, where it is loaded and has any (5.11).
[[nodiscard]] std::optional<TypeInfo> load_module_btf(const char* module, const TypeInfo& kernel);

/// Type information from a file, raw or in an ELF section. Refuses what is_sound() does.
[[nodiscard]] Result<TypeInfo> load_btf_file(const std::string& path);

} // namespace acceptwatch
