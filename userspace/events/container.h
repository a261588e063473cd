// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace acceptwatch {

/// The id of the container that a cgroup path names: 64 hexadecimal digits, as
/// Docker, containerd, CRI-O and Podman put them there. Of containers in
/// containers the innermost. Absent: the path names none.
[[nodiscard]] std::optional<std::string> container_of_cgroup(std::string_view path);

} // namespace acceptwatch
