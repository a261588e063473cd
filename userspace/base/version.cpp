// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"

namespace acceptwatch {

std::string_view version() { return ACCEPTWATCH_VERSION; }

} // namespace acceptwatch
