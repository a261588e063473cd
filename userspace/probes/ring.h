// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace acceptwatch {

/// Reads a BPF ring buffer in its memory (kernel/bpf/ringbuf.c). libbpf's reader maps the data
/// twice, one behind the other, so that a record that wraps around is in one piece; then each page
/// counts twice as resident. This one maps it once, and copies the records that wrap around: one of
/// thousands.
class RingReader {
public:
  /// Positions count bytes and never go back. `data` is a power of two long.
  RingReader(unsigned long* consumer, const unsigned long* producer,
             std::span<const std::byte> data)
      : consumer_(consumer), producer_(producer), data_(data) {}

  using Handler = std::function<void(std::span<const std::byte> record)>;
  /// Calls `handler` for each record, also for those that are written meanwhile, but `most` times
  /// at most: otherwise it would never return while records come faster than they are handled.
  /// Stops at a record that is still being written. True if it stopped at `most`.
  bool read(const Handler& handler, size_t most = SIZE_MAX);

private:
  [[nodiscard]] std::span<const std::byte> record_at(size_t begin, size_t size);

  unsigned long* consumer_;
  const unsigned long* producer_;
  std::span<const std::byte> data_;
  std::vector<std::byte> whole_; ///< the last record that wrapped around, in one piece
};

/// Maps a ring buffer of the kernel and reads it.
class Ring {
public:
  /// `size`: max_entries of the map.
  [[nodiscard]] static Result<std::unique_ptr<Ring>> map(int fd, size_t size);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// Readable when records wait.
  [[nodiscard]] int fd() const { return fd_; }
  bool read(const RingReader::Handler& handler, size_t most) { return reader_.read(handler, most); }

private:
  Ring(int fd, void* consumer, void* producer, size_t size);

  int fd_;
  void* consumer_;
  void* producer_;
  size_t size_;
  RingReader reader_;
};

} // namespace acceptwatch
