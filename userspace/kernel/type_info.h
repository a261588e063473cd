// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <linux/btf.h>
#include <map>
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
  /// The bytes, kept in memory as long as this is.
  using Bytes = std::shared_ptr<const std::span<const std::byte>>;

  /// Absent: that is no BTF of this machine.
  [[nodiscard]] static std::optional<TypeInfo> parse(Bytes bytes);
  /// The same of a module: what it has besides the kernel's.
  [[nodiscard]] static std::optional<TypeInfo> parse(Bytes bytes, const TypeInfo& kernel);

  /// Types have numbers from first() to count(). A module's begin after those of the kernel, which
  /// it also refers to.
  [[nodiscard]] uint32_t first() const { return first_; }
  [[nodiscard]] uint32_t count() const {
    return first_ + static_cast<uint32_t>(offsets_.size()) - 3;
  }
  [[nodiscard]] const btf_type& type(uint32_t id) const;
  [[nodiscard]] std::string_view name(uint32_t name_offset) const;
  /// The number of a type.
  [[nodiscard]] std::optional<uint32_t> find(std::string_view name, uint32_t kind) const;
  /// The same of several in one go: the kernel has a hundred thousand names.
  [[nodiscard]] std::map<std::string, uint32_t> find_all(const std::vector<std::string>& names,
                                                         uint32_t kind) const;
  /// What follows a type in memory: its members, parameters, enumerators.
  template <typename Entry>
  [[nodiscard]] std::span<const Entry> entries(const btf_type& type) const {
    return {reinterpret_cast<const Entry*>(&type + 1), BTF_INFO_VLEN(type.info)};
  }

  /// A copy with only the types that have one of these names (compared without "___flavour"), and
  /// the types that they contain. All keep their numbers. Not for modules.
  [[nodiscard]] std::vector<std::byte> reduced_to(const std::vector<std::string>& names) const;

private:
  [[nodiscard]] const char* start_of_name(uint32_t name_offset) const;
  [[nodiscard]] bool is_named(const btf_type& type, std::string_view name) const;
  [[nodiscard]] bool note_contents();
  [[nodiscard]] bool note_offsets(uint32_t length);

  Bytes bytes_;
  Bytes kernel_bytes_; ///< of a module, to which the kernel's names belong
  std::string_view kernel_strings_;
  uint32_t first_ = 1;
  const std::byte* types_ = nullptr;
  std::string_view strings_;
  /// Of types, from number first_ - 1 on, which is void or not here, and the end.
  std::vector<uint32_t> offsets_;
};

} // namespace acceptwatch
