// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/procfs.h"

#include <vector>

namespace acceptwatch {

/// Keeps some files open, to close them when the host has as many open as fs.file-max allows.
/// Without CAP_SYS_ADMIN no file can be opened then, and a look at listeners needs one or two. It
/// is a race: another process may open files first.
class FileReserve {
public:
  /// Keeps none where the host has few left already.
  explicit FileReserve(const ProcFs& procfs);

  /// The reserve is closed while this lives, and filled again afterwards.
  class [[nodiscard]] Lease {
  public:
    explicit Lease(FileReserve* reserve) : reserve_(reserve) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (reserve_)
        reserve_->fill();
    }

  private:
    FileReserve* reserve_;
  };
  Lease lease();

private:
  void fill();

  /// More than the two that are needed: the superuser may have opened files beyond the limit, and
  /// the kernel's own count is a little behind, since it is kept for each CPU (get_nr_files()).
  static constexpr size_t size = 64;

  const ProcFs& procfs_;
  std::vector<UniqueFd> files_;
};

} // namespace acceptwatch
