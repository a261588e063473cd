// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands/options.h"
#include "kernel/plan.h"
#include "model/scope.h"
#include "probes/session.h"

namespace acceptwatch {

/// What the kernel programs decide. Events that the model needs are let through whatever was
/// asked for.
[[nodiscard]] KernelFilter kernel_filter(const Options& options);

[[nodiscard]] Scope scope_of(const Options& options, const Plan& plan, const Probes& probes);

/// Of a snapshot of listeners, which watches nothing.
[[nodiscard]] Scope scope_of(const Options& options);

} // namespace acceptwatch
