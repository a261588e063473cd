// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <linux/btf.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace acceptwatch {

/// Type information (BTF; Documentation/bpf/btf.rst of the kernel), read where it is. A kernel has
/// five megabytes of it, which libbpf copies and searches anew for each object.
class TypeInfo {
public:
  /// With whatever keeps them in memory.
  using Bytes = std::shared_ptr<const std::span<const std::byte>>;

  /// Absent: that is no BTF of this machine.
  [[nodiscard]] static std::optional<TypeInfo> parse(Bytes bytes);

  /// Types have numbers from 1 to count().
  [[nodiscard]] uint32_t count() const { return static_cast<uint32_t>(offsets_.size()) - 2; }
  [[nodiscard]] const btf_type& type(uint32_t id) const;
  [[nodiscard]] std::string_view name(uint32_t name_offset) const;
  /// The number of a type.
  [[nodiscard]] std::optional<uint32_t> find(std::string_view name, uint32_t kind) const;
  /// What follows a type in memory: its members, parameters, enumerators.
  template <typename Entry>
  [[nodiscard]] std::span<const Entry> entries(const btf_type& type) const {
    return {reinterpret_cast<const Entry*>(&type + 1), BTF_INFO_VLEN(type.info)};
  }

  /// The same with nothing in it but what has one of these names, without their flavours
  /// ("NAME___flavour"), and what that is made of. All keep their numbers.
  [[nodiscard]] std::vector<std::byte> reduced_to(const std::vector<std::string>& names) const;

private:
  [[nodiscard]] bool is_named(const btf_type& type, std::string_view name) const;
  [[nodiscard]] bool note_offsets(uint32_t length);

  Bytes bytes_;
  const std::byte* types_ = nullptr;
  std::string_view strings_;
  std::vector<uint32_t> offsets_; ///< of types, by number, and the end; 0 is void, which has none
};

} // namespace acceptwatch
