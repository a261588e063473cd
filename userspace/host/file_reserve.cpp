// SPDX-License-Identifier: Apache-2.0
#include "host/file_reserve.h"

#include <sys/eventfd.h>
#include <sys/resource.h>

namespace acceptwatch {

FileReserve::FileReserve(const ProcFs& procfs) : procfs_(procfs) {
  constexpr uint64_t few = 16 * size;
  const auto files = procfs_.host_files();
  if (files && files->open + few < files->limit)
    fill();
}

/// Leaves at least half of this process's own descriptors free.
void FileReserve::fill() {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  while (files_.size() < size) {
    UniqueFd file{eventfd(0, EFD_CLOEXEC)};
    if (!file || static_cast<rlim_t>(file.get()) >= descriptors.rlim_cur / 2)
      return;
    files_.push_back(std::move(file));
  }
}

FileReserve::Lease FileReserve::lease() {
  const auto files = procfs_.host_files();
  if (files_.empty() || !files || !files->is_exhausted())
    return Lease{nullptr};
  files_.clear();
  return Lease{this};
}

} // namespace acceptwatch
