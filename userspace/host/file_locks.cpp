// SPDX-License-Identifier: Apache-2.0
#include "host/file_locks.h"

#include "base/file.h"
#include "base/text.h"

#include <algorithm>

namespace acceptwatch {

/// "1: FLOCK  ADVISORY  WRITE 4711 08:01:5678 0 EOF", and below it, of those who wait for it,
/// "1: -> FLOCK  ADVISORY  WRITE 4712 08:01:5678 0 EOF": lock_get_status() of fs/locks.c.
std::optional<uint32_t> holder_of_lock(const ProcFs& procfs, uint32_t waiter) {
  const auto locks = read_file(procfs.path("locks")).value_or("");
  std::optional<uint32_t> holder;
  for (const auto line : split(locks, '\n')) {
    auto fields = split(line, ' ');
    std::erase(fields, std::string_view{});
    const bool waits = fields.size() > 1 && fields[1] == "->";
    const size_t pid_field = waits ? 5 : 4;
    if (fields.size() <= pid_field)
      continue;
    const auto pid = parse_number<uint32_t>(fields[pid_field]);
    if (!waits)
      holder = pid;
    else if (pid == waiter)
      return holder;
  }
  return std::nullopt;
}

} // namespace acceptwatch
