// SPDX-License-Identifier: Apache-2.0
#include "commands/opening.h"

#include "commands/scope.h"
#include "probes/poll.h"
#include "probes/session.h"

namespace acceptwatch {

Result<Opened> open_planned(Features features, const Options& options) {
  std::optional<Error> last;
  for (;;) {
    const auto plan = make_plan(features, options.tier, options.after_accept);
    if (!plan)
      return tl::unexpected{plan.error()};
    const size_t known = features.refused.size();
    if (last && plan->programs.empty())
      return tl::unexpected{*last}; // of all that was to be attached nothing is left
    auto probes = plan->tier == AW_SOURCE_POLL
                      ? open_poll()
                      : open_session(*plan, kernel_filter(options), options.btf, features.refused);
    if (probes)
      return Opened{*plan, *std::move(probes)};
    if (features.refused.size() == known)
      return tl::unexpected{probes.error()};
    last = probes.error();
  }
}

} // namespace acceptwatch
