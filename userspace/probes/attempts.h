// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/features.h"
#include "kernel/type_info.h"

namespace acceptwatch {

// Each tries the smallest program of its kind, and leaves nothing behind.

[[nodiscard]] Attempt try_tp_btf(const TypeInfo& types);
[[nodiscard]] Attempt try_fentry(const TypeInfo& types);
[[nodiscard]] Attempt try_kprobe();
[[nodiscard]] Attempt try_iterator(const TypeInfo& types);
[[nodiscard]] Attempt try_task_stack(const TypeInfo& types);
[[nodiscard]] Attempt try_cgroup_skb(const std::string& cgroup_mount);
[[nodiscard]] Attempt try_probe_read();
[[nodiscard]] Attempt try_ring_buffer();

} // namespace acceptwatch
