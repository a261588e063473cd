// SPDX-License-Identifier: Apache-2.0
#include "probes/ring.h"

#include <cerrno>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

size_t page_size() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

constexpr size_t rounded_up(size_t size) { return (size + 7) / 8 * 8; }

} // namespace

std::span<const std::byte> RingReader::record_at(size_t begin, size_t size) {
  const size_t until_end = data_.size() - begin;
  if (size <= until_end)
    return data_.subspan(begin, size);
  whole_.assign(data_.begin() + static_cast<ptrdiff_t>(begin), data_.end());
  whole_.insert(whole_.end(), data_.begin(),
                data_.begin() + static_cast<ptrdiff_t>(size - until_end));
  return whole_;
}

bool RingReader::read(const Handler& handler, size_t most) {
  const size_t mask = data_.size() - 1;
  unsigned long position = *consumer_; // nobody else moves it
  while (position < __atomic_load_n(producer_, __ATOMIC_ACQUIRE)) {
    // A header has 8 bytes and begins at a multiple of 8, so it never wraps around.
    const auto* header = reinterpret_cast<const uint32_t*>(&data_[position & mask]);
    const uint32_t length = __atomic_load_n(header, __ATOMIC_ACQUIRE);
    if (length & BPF_RINGBUF_BUSY_BIT)
      return false;
    if (most-- == 0)
      return true;
    const size_t size = length & ~BPF_RINGBUF_DISCARD_BIT;
    if (!(length & BPF_RINGBUF_DISCARD_BIT))
      handler(record_at((position + BPF_RINGBUF_HDR_SZ) & mask, size));
    position += rounded_up(BPF_RINGBUF_HDR_SZ + size);
    __atomic_store_n(consumer_, position, __ATOMIC_RELEASE);
  }
  return false;
}

Result<std::unique_ptr<Ring>> Ring::map(int fd, size_t size) {
  const size_t page = page_size();
  void* consumer = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (consumer == MAP_FAILED)
    return system_failure("cannot map the ring buffer", errno);
  // The producer's page, then the data.
  void* producer = mmap(nullptr, page + size, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(page));
  if (producer == MAP_FAILED) {
    const int error = errno;
    munmap(consumer, page);
    return system_failure("cannot map the ring buffer", error);
  }
  return std::unique_ptr<Ring>{new Ring{fd, consumer, producer, size}};
}

Ring::Ring(int fd, void* consumer, void* producer, size_t size)
    : fd_(fd), consumer_(consumer), producer_(producer), size_(size),
      reader_(static_cast<unsigned long*>(consumer), static_cast<const unsigned long*>(producer),
              {static_cast<const std::byte*>(producer) + page_size(), size}) {}

Ring::~Ring() {
  munmap(consumer_, page_size());
  munmap(producer_, page_size() + size_);
}

} // namespace acceptwatch
