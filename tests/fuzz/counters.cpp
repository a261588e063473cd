// SPDX-License-Identifier: Apache-2.0
// Counters of /proc/net, by the first byte: netstat and snmp, a table of a line a CPU,
// softnet_stat.
#include "target.h"

#include "host/netstat.h"

using namespace acceptwatch;

std::vector<std::string> seeds() {
  return {
      "\1TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 18446744073709551615 7\n",
      "\2entries  clashres found new\n00000010  00000001 00000002 ffffffff\n",
      "\3"
      "0000a1b2 00000003 00000000 00000000\n00000001 00000000 00000002 00000000\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  if (data[0] % 3 == 0)
    static_cast<void>(parse_softnet(text));
  else if (data[0] % 3 == 1)
    static_cast<void>(parse_net_counters(text));
  else
    static_cast<void>(parse_cpu_table("conntrack", text));
  return 0;
}
