// SPDX-License-Identifier: Apache-2.0
#include "events/container.h"

#include "base/text.h"

#include <algorithm>

namespace acceptwatch {
namespace {

constexpr size_t id_length = 64;

bool is_id(std::string_view text) {
  return text.size() == id_length && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

/// "ID", "docker-ID.scope", "libpod-ID", "kubepods-pod1.slice:cri-containerd:ID".
/// A container's monitor, "crio-conmon-ID.scope", runs outside of it.
std::optional<std::string_view> id_in(std::string_view name) {
  constexpr std::string_view scope = ".scope";
  if (name.ends_with(scope))
    name.remove_suffix(scope.size());
  if (name.size() < id_length)
    return std::nullopt;
  const auto id = name.substr(name.size() - id_length);
  const auto before = name.substr(0, name.size() - id_length);
  const bool whole = before.empty() || before.ends_with('-') || before.ends_with(':');
  if (!whole || before.ends_with("conmon-") || !is_id(id))
    return std::nullopt;
  return id;
}

} // namespace

std::optional<std::string> container_of_cgroup(std::string_view path) {
  std::optional<std::string> innermost;
  for (const auto name : split(path, '/')) {
    if (const auto id = id_in(name))
      innermost = *id;
  }
  return innermost;
}

} // namespace acceptwatch
