// SPDX-License-Identifier: Apache-2.0
// The wire format as clang laid it out for the BPF machine, against ours.
#include "acceptwatch/record_cpp.h"

#include <bpf/btf.h>
#include <cstddef>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace acceptwatch {
namespace {

struct Member {
  const char* name;
  size_t offset;
  size_t size;
};

struct Layout {
  const char* name;
  size_t size;
  std::vector<Member> members;
};

std::ostream& operator<<(std::ostream& out, const Layout& layout) { return out << layout.name; }

#define MEMBER(type, member)                                                                       \
  Member { #member, offsetof(type, member), sizeof(type::member) }

std::vector<Layout> layouts() {
  return {
      {"aw_header",
       sizeof(aw_header),
       {MEMBER(aw_header, size), MEMBER(aw_header, kind), MEMBER(aw_header, source),
        MEMBER(aw_header, cpu), MEMBER(aw_header, boot_ns)}},
      {"aw_listener",
       sizeof(aw_listener),
       {MEMBER(aw_listener, id), MEMBER(aw_listener, cookie), MEMBER(aw_listener, head_us),
        MEMBER(aw_listener, netns), MEMBER(aw_listener, accept_depth),
        MEMBER(aw_listener, accept_limit), MEMBER(aw_listener, syn_depth),
        MEMBER(aw_listener, syn_limit), MEMBER(aw_listener, family), MEMBER(aw_listener, port),
        MEMBER(aw_listener, address)}},
      {"aw_endpoints",
       sizeof(aw_endpoints),
       {MEMBER(aw_endpoints, server_address), MEMBER(aw_endpoints, client_address),
        MEMBER(aw_endpoints, server_port), MEMBER(aw_endpoints, client_port),
        MEMBER(aw_endpoints, family), MEMBER(aw_endpoints, _pad)}},
      {"aw_event",
       sizeof(aw_event),
       {MEMBER(aw_event, header),       MEMBER(aw_event, listener),
        MEMBER(aw_event, ends),         MEMBER(aw_event, action),
        MEMBER(aw_event, reason),       MEMBER(aw_event, stage),
        MEMBER(aw_event, retry),        MEMBER(aw_event, flags),
        MEMBER(aw_event, hook),         MEMBER(aw_event, reason_space),
        MEMBER(aw_event, extra_mib),    MEMBER(aw_event, kernel_reason),
        MEMBER(aw_event, pid),          MEMBER(aw_event, backlog),
        MEMBER(aw_event, old_ms),       MEMBER(aw_event, chain),
        MEMBER(aw_event, comm),         MEMBER(aw_event, device),
        MEMBER(aw_event, old_inode),    MEMBER(aw_event, old_state),
        MEMBER(aw_event, _pad),         MEMBER(aw_event, nat_port),
        MEMBER(aw_event, exit_code),    MEMBER(aw_event, nat_address),
        MEMBER(aw_event, age_us),       MEMBER(aw_event, bytes_read),
        MEMBER(aw_event, bytes_unread), MEMBER(aw_event, bytes_sent),
        MEMBER(aw_event, number)}},
      {"aw_pending_syn",
       sizeof(aw_pending_syn),
       {MEMBER(aw_pending_syn, skb), MEMBER(aw_pending_syn, sk), MEMBER(aw_pending_syn, event)}},
      {"aw_process",
       sizeof(aw_process),
       {MEMBER(aw_process, header), MEMBER(aw_process, listener), MEMBER(aw_process, cookie),
        MEMBER(aw_process, start_ns), MEMBER(aw_process, pid), MEMBER(aw_process, other_pid),
        MEMBER(aw_process, change), MEMBER(aw_process, exit_code), MEMBER(aw_process, comm)}},
      {"aw_holder",
       sizeof(aw_holder),
       {MEMBER(aw_holder, header), MEMBER(aw_holder, listener), MEMBER(aw_holder, start_ns),
        MEMBER(aw_holder, pid), MEMBER(aw_holder, fd), MEMBER(aw_holder, comm),
        MEMBER(aw_holder, drops), MEMBER(aw_holder, somaxconn), MEMBER(aw_holder, max_syn_backlog),
        MEMBER(aw_holder, syncookies), MEMBER(aw_holder, reuseport), MEMBER(aw_holder, _pad)}},
      {"aw_chain", sizeof(aw_chain), {MEMBER(aw_chain, table), MEMBER(aw_chain, chain)}},
      {"aw_counter_key",
       sizeof(aw_counter_key),
       {MEMBER(aw_counter_key, listener), MEMBER(aw_counter_key, netns),
        MEMBER(aw_counter_key, action), MEMBER(aw_counter_key, reason),
        MEMBER(aw_counter_key, stage), MEMBER(aw_counter_key, extra_mib)}},
      {"aw_counts",
       sizeof(aw_counts),
       {MEMBER(aw_counts, occurrences), MEMBER(aw_counts, suppressed)}},
      {"aw_place",
       sizeof(aw_place),
       {MEMBER(aw_place, netns), MEMBER(aw_place, port), MEMBER(aw_place, _pad)}},
      {"aw_peaks", sizeof(aw_peaks), {MEMBER(aw_peaks, accept), MEMBER(aw_peaks, syn)}},
      {"aw_waits",
       sizeof(aw_waits),
       {MEMBER(aw_waits, accepted), MEMBER(aw_waits, max_us), MEMBER(aw_waits, queued),
        MEMBER(aw_waits, handshake)}},
      {"aw_config",
       sizeof(aw_config),
       {MEMBER(aw_config, source),
        MEMBER(aw_config, packet_access),
        MEMBER(aw_config, syn_full_at_limit),
        MEMBER(aw_config, can_make_cookies),
        MEMBER(aw_config, syn_recv_sock_args),
        MEMBER(aw_config, send_reset_args),
        MEMBER(aw_config, kfree_skb_args),
        MEMBER(aw_config, listen_start_args),
        MEMBER(aw_config, sees_security_module),
        MEMBER(aw_config, counter_access),
        MEMBER(aw_config, sees_dropped_requests),
        MEMBER(aw_config, pressure_percent),
        MEMBER(aw_config, accept_args),
        MEMBER(aw_config, all_resets),
        MEMBER(aw_config, filters_owners),
        MEMBER(aw_config, misses_closes),
        MEMBER(aw_config, family),
        MEMBER(aw_config, filter_ports),
        MEMBER(aw_config, netns),
        MEMBER(aw_config, actions),
        MEMBER(aw_config, hz),
        MEMBER(aw_config, pace_ns),
        MEMBER(aw_config, listen_drops),
        MEMBER(aw_config, no_routes),
        MEMBER(aw_config, syn_floods),
        MEMBER(aw_config, after_accept),
        MEMBER(aw_config, sees_overflows),
        MEMBER(aw_config, nft)}},
      {"aw_nft_offsets",
       sizeof(aw_nft_offsets),
       {MEMBER(aw_nft_offsets, pktinfo_skb), MEMBER(aw_nft_offsets, chain_table),
        MEMBER(aw_nft_offsets, chain_name), MEMBER(aw_nft_offsets, table_name)}},
  };
}

using Types = std::unique_ptr<btf, decltype([](btf* types) { btf__free(types); })>;

/// One member as "name at byte offset, of size bytes", so that a difference reads well.
std::string line(const std::string& name, size_t offset, long long size) {
  return fmt::format("{} @{} +{}", name, offset, size);
}

std::vector<std::string> lines_of(const Layout& layout) {
  std::vector<std::string> lines{line(layout.name, 0, static_cast<long long>(layout.size))};
  for (const auto& member : layout.members)
    lines.push_back(line(member.name, member.offset, static_cast<long long>(member.size)));
  return lines;
}

std::vector<std::string> lines_of(const btf& types, const Layout& layout, __u32 id) {
  std::vector<std::string> lines{line(layout.name, 0, btf__resolve_size(&types, id))};
  const btf_type* type = btf__type_by_id(&types, id);
  for (__u16 i = 0; i < btf_vlen(type); ++i) {
    const btf_member& member = btf_members(type)[i];
    lines.push_back(line(btf__name_by_offset(&types, member.name_off),
                         btf_member_bit_offset(type, i) / 8U,
                         btf__resolve_size(&types, member.type)));
  }
  return lines;
}

class WireFormat : public testing::TestWithParam<Layout> {};

/// Not every object has every record; one at least must, or nothing is compared.
TEST_P(WireFormat, IsTheSameInTheBpfObjects) {
  size_t compared = 0;
  for (const char* object : {"direct", "probe", "seed", "probe_seed"}) {
    const auto path = fmt::format("{}/{}.bpf.o", BPF_OBJECTS, object);
    const Types types{btf__parse_elf(path.c_str(), nullptr)};
    ASSERT_TRUE(types) << path;
    const int id = btf__find_by_name_kind(types.get(), GetParam().name, BTF_KIND_STRUCT);
    if (id < 0)
      continue;
    ++compared;
    EXPECT_EQ(lines_of(*types, GetParam(), static_cast<__u32>(id)), lines_of(GetParam())) << object;
  }
  EXPECT_GT(compared, 0U) << "no BPF object carries the type information of struct "
                          << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(Records, WireFormat, testing::ValuesIn(layouts()),
                         [](const auto& row) { return std::string{row.param.name}; });

} // namespace
} // namespace acceptwatch
