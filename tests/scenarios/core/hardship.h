// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>

namespace acceptwatch::scenarios {

// What hosts may lack, and `--without` takes away:
//   cgroup2  no cgroup2 file system is mounted
//   admin    neither CAP_SYS_ADMIN nor CAP_NET_ADMIN, as for a service that was given what BPF
//   needs
extern const std::set<std::string> hardships;

// "probe:NAME": the kernel is to refuse that program. None: it is another hardship.
std::optional<std::string> probe_of(const std::string& what);

// Takes it away from this process, whose next execve() has to come. Throws Failure.
void do_without(const std::set<std::string>& what);

} // namespace acceptwatch::scenarios
