// SPDX-License-Identifier: Apache-2.0
// usage: fuzz-TARGET RUNS [SEED]
// Feeds a target with changed seeds, the same ones for the same SEED. With sanitizers, which end it
// where something is wrong; what it was fed then is in the file fuzz-failed. Without coverage to go
// by, which libFuzzer has: where clang is, -fsanitize=fuzzer takes the place of this file.
#include "target.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <span>
#include <sys/mman.h>
#include <unistd.h>

namespace {

class Changes {
public:
  explicit Changes(uint64_t seed) : random_{seed} {}

  size_t below(size_t end) { return std::uniform_int_distribution<size_t>{0, end - 1}(random_); }

  void apply(std::string& text, const std::string& other) {
    for (size_t i = 1 + below(4); i > 0; --i)
      apply_one(text, other);
    text.resize(std::min<size_t>(text.size(), most));
  }

  static constexpr size_t most = 64 * 1024;

private:
  void apply_one(std::string& text, const std::string& other) {
    const size_t at = text.empty() ? 0 : below(text.size());
    switch (below(text.empty() ? 1 : 6)) {
    case 0:
      text.insert(at, 1 + below(8), static_cast<char>(below(256)));
      break;
    case 1:
      text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(8)));
      break;
    case 2:
      set_number(text, at);
      break;
    case 3:
      text.erase(at, 1 + below(16));
      break;
    case 4:
      text.insert(at, text.substr(below(text.size()), 1 + below(32)));
      break;
    default:
      if (!other.empty())
        text = text.substr(0, at) + other.substr(below(other.size()));
    }
  }

  /// One that is at the end of what a type can hold.
  void set_number(std::string& text, size_t at) {
    constexpr std::array<uint64_t, 9> numbers{0,      1,          0x7f,       0xff,      0x7fff,
                                              0xffff, 0x7fffffff, 0xffffffff, UINT64_MAX};
    const uint64_t number = numbers.at(below(numbers.size()));
    const size_t size = std::min(size_t{1} << below(4), text.size() - at);
    std::memcpy(text.data() + at, &number, size);
  }

  std::mt19937_64 random_;
};

/// What is being fed, where it can still be read when the target has ended the process.
class Kept {
public:
  Kept() {
    const int file = open("fuzz-failed", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, Changes::most + sizeof(size_t)) != 0)
      std::abort();
    memory_ = static_cast<char*>(
        mmap(nullptr, Changes::most + sizeof(size_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    close(file);
    if (memory_ == MAP_FAILED)
      std::abort();
  }

  /// Its size comes before it.
  std::span<const uint8_t> keep(const std::string& text) {
    const size_t size = text.size();
    std::memcpy(memory_, &size, sizeof(size));
    std::memcpy(memory_ + sizeof(size), text.data(), size);
    return {reinterpret_cast<const uint8_t*>(text.data()), size};
  }

private:
  char* memory_ = nullptr;
};

} // namespace

int main(int argc, char** argv) {
  const uint64_t runs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
  if (runs == 0) {
    std::fprintf(stderr, "usage: %s RUNS [SEED]\n", argv[0]);
    return 2;
  }
  Changes changes{argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1};
  const auto all = seeds();
  Kept kept;
  for (uint64_t i = 0; i < runs; ++i) {
    std::string text = all.at(changes.below(all.size()));
    if (i >= all.size())
      changes.apply(text, all.at(changes.below(all.size())));
    // Of its own size, so that a read beyond it is found.
    const std::string exact{text.data(), text.size()};
    const auto input = kept.keep(exact);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  unlink("fuzz-failed");
  return 0;
}
