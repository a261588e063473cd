// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace acceptwatch {

/// The reader's side of a BPF ring buffer, over its memory (kernel/bpf/ringbuf.c). libbpf's maps
/// the data twice, so that a record that goes on at the beginning is whole, and each of its pages
/// counts twice as resident. Here such a record, one of thousands, is put together.
class RingReader {
public:
  /// Positions count bytes and never go back. `data` is a power of two long.
  RingReader(unsigned long* consumer, const unsigned long* producer,
             std::span<const std::byte> data)
      : consumer_(consumer), producer_(producer), data_(data) {}

  using Handler = std::function<void(std::span<const std::byte> record)>;
  /// What is there, and what comes meanwhile, but no more than `most` records: who writes faster
  /// than somebody reads must not keep the reader here. Stops at a record that is being written.
  /// True: it stopped at the bound.
  bool read(const Handler& handler, size_t most = SIZE_MAX);

private:
  [[nodiscard]] std::span<const std::byte> record_at(size_t begin, size_t size);

  unsigned long* consumer_;
  const unsigned long* producer_;
  std::span<const std::byte> data_;
  std::vector<std::byte> whole_; ///< the last record that was put together
};

/// A ring buffer of the kernel's, mapped.
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
