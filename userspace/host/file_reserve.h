// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/procfs.h"

#include <vector>

namespace acceptwatch {

/// Files that are open only to be closed when the host has none left (fs.file-max). Without
/// CAP_SYS_ADMIN none can be opened then, and to look at listeners takes one or two. What
/// another process is quicker to open is lost to it.
class FileReserve {
public:
  /// Takes none where there are few left.
  explicit FileReserve(const ProcFs& procfs);

  /// While this lives there may be files to open again.
  class [[nodiscard]] Lent {
  public:
    explicit Lent(FileReserve* reserve) : reserve_(reserve) {}
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    ~Lent() {
      if (reserve_)
        reserve_->fill();
    }

  private:
    FileReserve* reserve_;
  };
  Lent lend();

private:
  void fill();

  /// The superuser may have gone beyond the limit meanwhile, and the kernel itself takes its
  /// per-CPU counts together only now and then: get_nr_files().
  static constexpr size_t size = 64;

  const ProcFs& procfs_;
  std::vector<UniqueFd> files_;
};

} // namespace acceptwatch
