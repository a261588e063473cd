// SPDX-License-Identifier: Apache-2.0
#include "kernel/type_info.h"

#include <algorithm>
#include <bitset>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace acceptwatch {
namespace {

uint32_t kind_of(const btf_type& type) { return BTF_INFO_KIND(type.info); }

/// The size of a type with the entries that follow it. Absent where its kind is not known.
std::optional<size_t> size_of(const btf_type& type) {
  const size_t count = BTF_INFO_VLEN(type.info);
  switch (kind_of(type)) {
  case BTF_KIND_INT:
    return sizeof(type) + sizeof(uint32_t);
  case BTF_KIND_PTR:
  case BTF_KIND_FWD:
  case BTF_KIND_TYPEDEF:
  case BTF_KIND_VOLATILE:
  case BTF_KIND_CONST:
  case BTF_KIND_RESTRICT:
  case BTF_KIND_FUNC:
  case BTF_KIND_FLOAT:
  case BTF_KIND_TYPE_TAG:
    return sizeof(type);
  case BTF_KIND_ARRAY:
    return sizeof(type) + sizeof(btf_array);
  case BTF_KIND_STRUCT:
  case BTF_KIND_UNION:
    return sizeof(type) + count * sizeof(btf_member);
  case BTF_KIND_ENUM:
    return sizeof(type) + count * sizeof(struct btf_enum);
  case BTF_KIND_ENUM64:
    return sizeof(type) + count * sizeof(struct btf_enum64);
  case BTF_KIND_FUNC_PROTO:
    return sizeof(type) + count * sizeof(btf_param);
  case BTF_KIND_VAR:
    return sizeof(type) + sizeof(btf_var);
  case BTF_KIND_DATASEC:
    return sizeof(type) + count * sizeof(btf_var_secinfo);
  case BTF_KIND_DECL_TAG:
    return sizeof(type) + sizeof(btf_decl_tag);
  default:
    return std::nullopt;
  }
}

const btf_array& array_of(const btf_type& type) {
  return *reinterpret_cast<const btf_array*>(&type + 1);
}

/// Names that are searched for in a hundred thousand others. Most of these are ruled out by their
/// first bytes.
class Wanted {
public:
  explicit Wanted(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const std::string_view essential = std::string_view{name}.substr(0, name.find("___"));
      names_.insert(essential);
      beginnings_.set(beginning(essential.data(), essential.size()));
    }
  }

  /// `name` ends with a NUL.
  [[nodiscard]] bool contains(const char* name) const {
    return beginnings_.test(beginning(name, SIZE_MAX)) && names_.contains(name);
  }

private:
  static size_t beginning(const char* name, size_t length) {
    size_t hash = 0;
    for (size_t i = 0; i < std::min<size_t>(length, 6) && name[i]; ++i)
      hash = hash * 31 + static_cast<unsigned char>(name[i]);
    return hash % 8192;
  }

  std::unordered_set<std::string_view> names_;
  std::bitset<8192> beginnings_;
};

/// The types that libbpf may need to relocate accesses to some given types: those and all that they
/// contain. Pointers inside of structs are not followed: what a program reads through them is named
/// by a relocation of its own.
class Needed {
public:
  explicit Needed(const TypeInfo& types) : types_(types), reached_(types.count() + 1) {}

  void add(uint32_t id) { push(id, through_pointers); }
  void follow() {
    while (!pending_.empty()) {
      const uint32_t id = pending_.back();
      pending_.pop_back();
      follow(types_.type(id), reached_[id]);
    }
  }
  [[nodiscard]] bool has(uint32_t id) const { return reached_[id] != not_at_all; }

private:
  enum Reach : uint8_t { not_at_all, inside, through_pointers };

  void push(uint32_t id, Reach reach) {
    if (id == 0 || id > types_.count() || reached_[id] >= reach)
      return;
    reached_[id] = reach;
    pending_.push_back(id);
  }

  void follow(const btf_type& type, Reach reach) {
    switch (kind_of(type)) {
    case BTF_KIND_PTR:
      if (reach == through_pointers)
        push(type.type, reach);
      return;
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_TYPE_TAG:
    case BTF_KIND_FUNC:
    case BTF_KIND_VAR:
      return push(type.type, reach);
    case BTF_KIND_ARRAY:
      push(array_of(type).type, reach);
      return push(array_of(type).index_type, reach);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      for (const auto& member : types_.entries<btf_member>(type))
        push(member.type, inside);
      return;
    case BTF_KIND_FUNC_PROTO:
      push(type.type, reach);
      for (const auto& parameter : types_.entries<btf_param>(type))
        push(parameter.type, reach);
      return;
    default:
      return;
    }
  }

  const TypeInfo& types_;
  std::vector<Reach> reached_;
  std::vector<uint32_t> pending_;
};

/// Builds smaller type information: types keep their numbers, names get new offsets.
class Reduced {
public:
  explicit Reduced(const TypeInfo& types) : types_(types) {
    constexpr size_t usual_rest = 1UL << 20; // pages that are never touched cost nothing
    bytes_.reserve(sizeof(btf_header) + types.count() * sizeof(btf_type) + usual_rest);
    bytes_.resize(sizeof(btf_header));
  }

  /// In place of a type that is left out, so that the next one keeps its number.
  void add_placeholder() {
    btf_type nothing{};
    nothing.info = BTF_KIND_FWD << 24;
    append(&nothing, sizeof(nothing));
  }

  void add(std::span<const std::byte> bytes) {
    const size_t begin = bytes_.size();
    append(bytes.data(), bytes.size());
    auto& type = *reinterpret_cast<btf_type*>(bytes_.data() + begin);
    move_name(type);
    switch (kind_of(type)) {
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return move_names<btf_member>(type);
    case BTF_KIND_ENUM:
      return move_names<struct btf_enum>(type);
    case BTF_KIND_ENUM64:
      return move_names<struct btf_enum64>(type);
    case BTF_KIND_FUNC_PROTO:
      return move_names<btf_param>(type);
    default:
      return;
    }
  }

  [[nodiscard]] std::vector<std::byte> finish() {
    btf_header header{};
    header.magic = BTF_MAGIC;
    header.version = BTF_VERSION;
    header.hdr_len = sizeof(header);
    header.type_len = header.str_off = static_cast<uint32_t>(bytes_.size() - sizeof(header));
    header.str_len = static_cast<uint32_t>(strings_.size());
    std::memcpy(bytes_.data(), &header, sizeof(header));
    append(strings_.data(), strings_.size());
    return std::move(bytes_);
  }

private:
  void append(const void* bytes, size_t size) {
    const auto* begin = static_cast<const std::byte*>(bytes);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }

  template <typename Named> void move_name(Named& named) {
    if (named.name_off == 0)
      return;
    const auto [moved, is_new] =
        moved_.try_emplace(named.name_off, static_cast<uint32_t>(strings_.size()));
    if (is_new)
      strings_.append(types_.name(named.name_off)).push_back('\0');
    named.name_off = moved->second;
  }

  template <typename Entry> void move_names(btf_type& type) {
    auto* entries = reinterpret_cast<Entry*>(&type + 1);
    for (Entry& entry : std::span{entries, BTF_INFO_VLEN(type.info)})
      move_name(entry);
  }

  const TypeInfo& types_;
  std::vector<std::byte> bytes_; ///< header and types
  std::string strings_ = std::string(1, '\0');
  std::unordered_map<uint32_t, uint32_t> moved_; ///< new offset of a name, by its old one
};

} // namespace

std::optional<TypeInfo> TypeInfo::parse(Bytes bytes) {
  TypeInfo info;
  info.bytes_ = std::move(bytes);
  return info.note_contents() ? std::optional{std::move(info)} : std::nullopt;
}

std::optional<TypeInfo> TypeInfo::parse(Bytes bytes, const TypeInfo& kernel) {
  TypeInfo info;
  info.bytes_ = std::move(bytes);
  info.kernel_bytes_ = kernel.bytes_;
  info.kernel_strings_ = kernel.strings_;
  info.first_ = kernel.count() + 1;
  return info.note_contents() ? std::optional{std::move(info)} : std::nullopt;
}

bool TypeInfo::note_contents() {
  btf_header header{};
  if (bytes_->size() < sizeof(header))
    return false;
  std::memcpy(&header, bytes_->data(), sizeof(header));
  const auto fits = [&](uint32_t offset, uint32_t length) {
    return uint64_t{header.hdr_len} + offset + length <= bytes_->size();
  };
  if (header.magic != BTF_MAGIC || header.type_off % 4 || header.hdr_len % 4 ||
      !fits(header.type_off, header.type_len) || !fits(header.str_off, header.str_len) ||
      header.str_len == 0)
    return false;
  types_ = bytes_->data() + header.hdr_len + header.type_off;
  strings_ = {reinterpret_cast<const char*>(bytes_->data()) + header.hdr_len + header.str_off,
              header.str_len};
  return strings_.back() == '\0' && note_offsets(header.type_len);
}

bool TypeInfo::note_offsets(uint32_t length) {
  constexpr size_t usual_size = 24;
  offsets_.reserve(length / usual_size);
  offsets_.push_back(0);
  uint32_t offset = 0;
  while (length - offset >= sizeof(btf_type)) {
    const auto size = size_of(*reinterpret_cast<const btf_type*>(types_ + offset));
    if (!size || *size > length - offset)
      return false;
    offsets_.push_back(offset);
    offset += static_cast<uint32_t>(*size);
  }
  offsets_.push_back(offset);
  return offset == length;
}

const btf_type& TypeInfo::type(uint32_t id) const {
  return *reinterpret_cast<const btf_type*>(types_ + offsets_[id - first_ + 1]);
}

const char* TypeInfo::start_of_name(uint32_t name_offset) const {
  if (name_offset < kernel_strings_.size())
    return kernel_strings_.data() + name_offset;
  const size_t own = name_offset - kernel_strings_.size();
  return own < strings_.size() ? strings_.data() + own : "";
}

std::string_view TypeInfo::name(uint32_t name_offset) const { return start_of_name(name_offset); }

/// Compares in place: strlen() of every name would take longer.
bool TypeInfo::is_named(const btf_type& type, std::string_view name) const {
  const bool of_kernel = type.name_off < kernel_strings_.size();
  const std::string_view strings = of_kernel ? kernel_strings_ : strings_;
  const size_t begin = of_kernel ? type.name_off : type.name_off - kernel_strings_.size();
  const size_t end = begin + name.size();
  return type.name_off && end < strings.size() && strings[end] == '\0' &&
         strings.compare(begin, name.size(), name) == 0;
}

std::optional<uint32_t> TypeInfo::find(std::string_view name, uint32_t kind) const {
  for (uint32_t id = first_; id <= count(); ++id) {
    const btf_type& candidate = type(id);
    if (kind_of(candidate) == kind && is_named(candidate, name))
      return id;
  }
  return std::nullopt;
}

std::map<std::string, uint32_t> TypeInfo::find_all(const std::vector<std::string>& names,
                                                   uint32_t kind) const {
  const Wanted wanted{names};
  std::map<std::string, uint32_t> found;
  for (uint32_t id = first_; id <= count(); ++id) {
    const btf_type& candidate = type(id);
    if (kind_of(candidate) != kind)
      continue;
    const char* its_name = start_of_name(candidate.name_off);
    if (wanted.contains(its_name))
      found.emplace(its_name, id);
  }
  return found;
}

std::vector<std::byte> TypeInfo::reduced_to(const std::vector<std::string>& names) const {
  const Wanted wanted{names};
  Needed needed{*this};
  for (uint32_t id = 1; id <= count(); ++id) {
    const uint32_t offset = type(id).name_off;
    if (offset && offset < strings_.size() && wanted.contains(strings_.data() + offset))
      needed.add(id);
  }
  needed.follow();
  Reduced reduced{*this};
  for (uint32_t id = 1; id <= count(); ++id) {
    if (needed.has(id))
      reduced.add({types_ + offsets_[id], offsets_[id + 1] - offsets_[id]});
    else
      reduced.add_placeholder();
  }
  return reduced.finish();
}

} // namespace acceptwatch
