// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

#include <bpf/libbpf.h>
#include <memory>

namespace acceptwatch {

// Owners of what libbpf hands out.

struct LinkDeleter {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, LinkDeleter>;

template <auto Destroy> struct SkeletonDeleter {
  template <typename Skeleton> void operator()(Skeleton* skeleton) const { Destroy(skeleton); }
};

inline constexpr const char* report_hint =
    "Run again with -vv for the kernel's own words, and report them with the output of "
    "`acceptwatch check`.";

/// `error` is negative, as libbpf returns it.
[[nodiscard]] inline tl::unexpected<Error> load_failure(const char* what, int error) {
  return system_failure(what, -error, report_hint, ExitStatus::kernel);
}

} // namespace acceptwatch
