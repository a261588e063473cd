// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

#include <string>
#include <sys/types.h>

namespace acceptwatch {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// By its name in /etc/passwd, or its number there.
[[nodiscard]] Result<User> find_user(const std::string& name);

/// From here on this process is that user's, with no other group than the user's own, and with the
/// capabilities that a start needs and it has: not those to write anybody's files.
[[nodiscard]] Result<void> become_user(const User& user);

} // namespace acceptwatch
