// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <fmt/format.h>
#include <system_error>

namespace acceptwatch {

tl::unexpected<Error> failure(std::string what, std::string advice, ExitStatus status) {
  return tl::unexpected<Error>{Error{status, std::move(what), std::move(advice)}};
}

tl::unexpected<Error> system_failure(std::string_view what, int code, std::string advice,
                                     ExitStatus status) {
  return failure(fmt::format("{}: {}", what, describe_errno(code)), std::move(advice), status);
}

std::string describe_errno(int code) { return std::generic_category().message(code); }

} // namespace acceptwatch
