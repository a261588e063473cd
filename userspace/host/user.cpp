// SPDX-License-Identifier: Apache-2.0
#include "host/user.h"

#include "base/capabilities.h"
#include "base/text.h"

#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <grp.h>
#include <memory>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

using File = std::unique_ptr<FILE, decltype([](FILE* file) { fclose(file); })>;

constexpr const char* advice = "Start acceptwatch as root, or as that user with the capabilities.";

/// Loading and attaching, and what drop_privileges() keeps. CAP_SETPCAP: to make the bounding set
/// smaller.
constexpr std::initializer_list<cap_value_t> of_a_start{
    CAP_BPF,        CAP_PERFMON,         CAP_NET_ADMIN,    CAP_SYS_ADMIN,
    CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SYS_RESOURCE, CAP_SETPCAP};

} // namespace

/// getpwnam() would load the libraries of nsswitch.conf, which a static program should not.
Result<User> find_user(const std::string& name) {
  const File users{fopen("/etc/passwd", "re")};
  const auto number = parse_number<uid_t>(name);
  while (const passwd* user = users ? fgetpwent(users.get()) : nullptr) {
    if (name == user->pw_name || number == user->pw_uid)
      return User{user->pw_uid, user->pw_gid};
  }
  return failure(fmt::format("there is no user '{}' in /etc/passwd", name), "", ExitStatus::usage);
}

Result<void> become_user(const User& user) {
  const auto held = Capabilities::of(0);
  auto kept = Capabilities::none();
  if (!held || !kept)
    return system_failure("cannot read this process's capabilities", errno);
  for (const cap_value_t value : of_a_start) {
    if (held.has(value))
      kept.add(value);
  }
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, nullptr) < 0 ||
      setresgid(user.gid, user.gid, user.gid) < 0 || setresuid(user.uid, user.uid, user.uid) < 0)
    return system_failure("cannot become another user", errno, advice, ExitStatus::privileges);
  if (kept.apply() < 0)
    return system_failure("cannot keep capabilities", errno, advice, ExitStatus::privileges);
  return {};
}

} // namespace acceptwatch
