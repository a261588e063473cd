// SPDX-License-Identifier: Apache-2.0
#include "diagnose/evidence.h"

#include <array>

namespace acceptwatch {
namespace {

using C = EvidenceCounter;
constexpr std::string_view signatures =
    "Compare the keys of both ends, and which addresses they are for.";

/// In the order of the enum.
constexpr std::array<EvidenceMeaning, nr_evidence_counters> meanings{{
    {C::ts_echo_rejected, "timestamps",
     "ACKs dropped because the timestamp they echo was never sent (tcp_check_req())",
     "Something between the client and this host rewrites TCP timestamps: look for a middlebox or "
     "a load balancer."},
    {C::paws_established, "timestamps",
     "packets dropped because their timestamp is older than one seen before (PAWS)",
     "Clients behind one NAT address share ports and have clocks of their own: let the NAT "
     "randomize ports, or switch their timestamps off."},
    {C::paws_time_wait, "old_connection",
     "SYNs refused because an old connection of the same ports is in TIME_WAIT and had a newer "
     "timestamp (PAWS)",
     "Clients behind one NAT address use a port again too soon: give the NAT more ports or "
     "addresses."},
    {C::syn_challenge, "old_connection",
     "SYNs answered with a challenge ACK: a connection of the same ports is still established here",
     "A client has started anew, or a NAT uses its ports again, while this host holds the old "
     "connection: ss -tn state established; keepalives end such ones."},
    {C::time_wait_overflow, "time_wait_overflow",
     "connections that were over got no TIME_WAIT, since the table is full: a late packet of "
     "theirs is answered with a RST, and no handshake is lost",
     "See net.ipv4.tcp_max_tw_buckets."},
    {C::abort_on_memory, "host_limits", "connections ended for lack of TCP memory or orphans",
     "See net.ipv4.tcp_mem, net.ipv4.tcp_max_orphans, and cat /proc/net/sockstat."},
    {C::reverse_path_filter, "way_in",
     "packets refused because the way back leads through another device (rp_filter)",
     "See ip route get CLIENT, and set net.ipv4.conf.*.rp_filter=2 where routes are asymmetric."},
    {C::md5_not_found, "authentication", "packets without the MD5 signature that is required",
     signatures},
    {C::md5_unexpected, "authentication", "packets with an MD5 signature that nobody expects",
     signatures},
    {C::md5_failure, "authentication", "packets with a wrong MD5 signature", signatures},
    {C::ao_required, "authentication", "packets without the TCP-AO signature that is required",
     signatures},
    {C::ao_bad, "authentication", "packets with a wrong TCP-AO signature", signatures},
    {C::ao_key_not_found, "authentication", "packets signed with a TCP-AO key that is not known",
     signatures},
    {C::min_ttl_drop, "way_in", "packets whose TTL is below the socket's least (IP_MINTTL)",
     "The sender is more hops away than the program allows."},
    {C::checksum_errors, "way_in", "segments with a wrong checksum",
     "A device or tunnel on the way damages packets, or sums are left to a device that does not "
     "make them: ethtool -K DEV tx off shows it."},
    {C::out_no_routes, "request_refused",
     "packets that this host had no route for, answers among them",
     "See ip route get CLIENT: blackhole and prohibit routes count as none."},
    {C::in_no_routes, "way_in", "packets that came in and had no route",
     "The address is not this host's, and it has no way to pass them on: ip route get ADDRESS."},
    {C::in_address_errors, "way_in",
     "packets to an address that may not be reached from outside (127.0.0.0/8)",
     "After a translation to 127.0.0.1, set net.ipv4.conf.DEV.route_localnet=1, or translate to "
     "an address of the host."},
    {C::unsent_retransmits, "lost_on_the_way",
     "times that a SYN-ACK or a segment was due to be sent again and was not: it was dropped "
     "on its way out, or the handshake was given up",
     "See nft list ruleset (output, postrouting), tc filter show dev DEV egress, ip neigh, "
     "ip route get CLIENT."},
    {C::retransmitted, "", "", ""},
    {C::conntrack_drop, "conntrack",
     "packets dropped because the table of tracked connections is full",
     "Compare net.netfilter.nf_conntrack_count with nf_conntrack_max, and raise that."},
    {C::conntrack_early_drop, "conntrack",
     "tracked connections thrown out early, to make room for new ones",
     "Compare net.netfilter.nf_conntrack_count with nf_conntrack_max, and raise that."},
    {C::softnet_drop, "host_limits", "packets of the whole host that found a CPU's backlog full",
     "See net.core.netdev_max_backlog, and whether one CPU does all the work: "
     "cat /proc/net/softnet_stat."},
    {C::neighbour_unresolved, "lost_on_the_way",
     "packets given up because a neighbour does not answer (ARP), on the whole host",
     "See ip neigh show: FAILED is who does not answer."},
    {C::neighbour_table_full, "lost_on_the_way", "times that the table of neighbours was full",
     "See net.ipv4.neigh.default.gc_thresh3, and ip -s neigh."},
}};

} // namespace

const EvidenceMeaning& meaning_of(EvidenceCounter counter) {
  return meanings[static_cast<size_t>(counter)];
}

} // namespace acceptwatch
