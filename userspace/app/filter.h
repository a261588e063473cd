// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/auditor.h"
#include "cli/options.h"
#include "listeners/listed.h"
#include "listeners/table.h"
#include "probes/plan.h"
#include "probes/session.h"

namespace acceptwatch {

/// What the kernel programs decide. Events that the listener table needs are let
/// through whatever was asked for.
[[nodiscard]] KernelFilter kernel_filter(const Options& options);

/// Whether the owner matters.
[[nodiscard]] bool filters_owners(const Options& options);

/// What only the table can decide: who holds the listener.
[[nodiscard]] bool owner_wanted(const Options& options, const Listener* listener);

/// Of a snapshot: port, network namespace, family.
[[nodiscard]] bool listed_wanted(const Options& options, const Listed& entry);

[[nodiscard]] bool action_wanted(const Options& options, aw_action action);

/// The kernel's counters know namespaces, and no other filter.
[[nodiscard]] AuditScope audit_scope(const Options& options, const Plan& plan);

} // namespace acceptwatch
