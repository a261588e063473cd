// SPDX-License-Identifier: Apache-2.0
#include "host/identity.h"

#include "base/file.h"

#include <sys/utsname.h>

namespace acceptwatch {

std::string host_name() {
  utsname names{};
  return uname(&names) == 0 ? names.nodename : "";
}

std::string boot_id() { return read_line("/proc/sys/kernel/random/boot_id").value_or(""); }

} // namespace acceptwatch
