// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/type_info.h"

namespace acceptwatch {

/// Whether type information can be followed without end: libbpf follows chains of typedefs in a
/// loop (skip_mods_and_typedefs()) and members without a name by recursion, and checks neither. The
/// kernel's own needs no such check; a file's does. Every type that is named is there, no type
/// contains itself, no chain of pointers and typedefs leads back to itself, and none of both is
/// longer than 64. Not for modules.
[[nodiscard]] bool is_sound(const TypeInfo& types);

} // namespace acceptwatch
