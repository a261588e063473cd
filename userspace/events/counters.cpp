// SPDX-License-Identifier: Apache-2.0
#include "events/counters.h"

#include <algorithm>
#include <functional>

namespace acceptwatch {
namespace {

constexpr std::array<KernelCounterName, nr_kernel_counters> names{{
    {"TcpExt", "ListenOverflows"},
    {"TcpExt", "ListenDrops"},
    {"TcpExt", "TCPReqQFullDrop"},
    {"TcpExt", "TCPReqQFullDoCookies"},
    {"TcpExt", "SyncookiesSent"},
    {"TcpExt", "SyncookiesRecv"},
    {"TcpExt", "SyncookiesFailed"},
    {"TcpExt", "TCPSynRetrans"},
    {"TcpExt", "EmbryonicRsts"},
    {"TcpExt", "TCPDeferAcceptDrop"},
    {"TcpExt", "TCPFastOpenListenOverflow"},
    {"TcpExt", "TCPMigrateReqSuccess"},
    {"TcpExt", "TCPMigrateReqFailure"},
    {"Tcp", "OutRsts"},
}};

} // namespace

KernelCounterName name_of(KernelCounter counter) { return names[static_cast<size_t>(counter)]; }

bool NetReading::is_before(const NetReading& later) const {
  const auto grew = [](const auto& from, const auto& to) {
    return std::equal(from.begin(), from.end(), to.begin(), std::less_equal{});
  };
  return files == later.files && grew(values, later.values) && grew(witnesses, later.witnesses);
}

} // namespace acceptwatch
