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

constexpr std::array<KernelCounterName, nr_evidence_counters> evidence_names{{
    {"TcpExt", "TSEcrRejected"},
    {"TcpExt", "PAWSEstab"},
    {"TcpExt", "PAWSTimewait"},
    {"TcpExt", "TCPSYNChallenge"},
    {"TcpExt", "TCPTimeWaitOverflow"},
    {"TcpExt", "TCPAbortOnMemory"},
    {"TcpExt", "IPReversePathFilter"},
    {"TcpExt", "TCPMD5NotFound"},
    {"TcpExt", "TCPMD5Unexpected"},
    {"TcpExt", "TCPMD5Failure"},
    {"TcpExt", "TCPAORequired"},
    {"TcpExt", "TCPAOBad"},
    {"TcpExt", "TCPAOKeyNotFound"},
    {"TcpExt", "TCPMinTTLDrop"},
    {"Tcp", "InCsumErrors"},
    {"Ip", "OutNoRoutes"},
    {"IpExt", "InNoRoutes"},
    {"Ip", "InAddrErrors"},
    {"TcpExt", "TCPTimeouts"},
    {"Tcp", "RetransSegs"},
    {"nf_conntrack", "drop"},
    {"nf_conntrack", "early_drop"},
    {"softnet", "dropped"},
    {"arp_cache", "unresolved_discards"},
    {"arp_cache", "table_fulls"},
}};

} // namespace

KernelCounterName name_of(EvidenceCounter counter) {
  return evidence_names[static_cast<size_t>(counter)];
}

EvidenceValues growth_of(const EvidenceValues& before, const EvidenceValues& now) {
  EvidenceValues growth{};
  for (size_t i = 0; i < nr_evidence_counters; ++i) {
    if (before[i] && now[i] && *now[i] >= *before[i])
      growth[i] = *now[i] - *before[i];
  }
  auto& timeouts = growth[static_cast<size_t>(EvidenceCounter::unsent_retransmits)];
  auto& sent = growth[static_cast<size_t>(EvidenceCounter::retransmitted)];
  if (timeouts && sent)
    timeouts = *timeouts - std::min(*timeouts, *sent);
  else
    timeouts.reset();
  sent.reset();
  return growth;
}

KernelCounterName name_of(KernelCounter counter) { return names[static_cast<size_t>(counter)]; }

bool NetReading::is_before(const NetReading& later) const {
  const auto grew = [](const auto& from, const auto& to) {
    return std::equal(from.begin(), from.end(), to.begin(), std::less_equal{});
  };
  return files == later.files && grew(values, later.values) && grew(witnesses, later.witnesses);
}

} // namespace acceptwatch
