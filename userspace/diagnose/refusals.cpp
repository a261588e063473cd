// SPDX-License-Identifier: Apache-2.0
#include "diagnose/rule_context.h"

#include "events/names.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace acceptwatch::rule {
namespace {

/// What an advice speaks of.
struct Scene {
  const Facts& facts;
  const Refused& refused;

  [[nodiscard]] bool is_answer() const { return refused.packets[AW_STAGE_SYNACK] != 0; }
  [[nodiscard]] std::string device() const {
    return refused.device.empty() ? "DEV" : refused.device;
  }
  [[nodiscard]] std::string client() const {
    return refused.client ? std::string{std::string_view{to_string(*refused.client)}} : "CLIENT";
  }
  [[nodiscard]] std::string server() const {
    return refused.server ? std::string{std::string_view{to_string(*refused.server)}} : "ADDRESS";
  }
};

/// "4 SYNs and 2 SYN-ACKs"
std::string packets_of(const Seen& seen, const Refused& refused) {
  constexpr std::array<std::pair<aw_stage, const char*>, 3> kinds{
      {{AW_STAGE_SYN, "SYN"}, {AW_STAGE_SYNACK, "SYN-ACK"}, {AW_STAGE_ACK, "ACK"}}};
  std::string text;
  for (const auto& [stage, name] : kinds) {
    const uint64_t count = refused.packets[stage];
    if (!count)
      continue;
    text += text.empty() ? "" : " and ";
    text += plural(count, name, fmt::format("{}s", name));
  }
  return text.empty() ? packets(seen.count) : text;
}

std::string advice_for_traffic_control(const Scene& scene) {
  const std::string device = scene.device();
  return fmt::format("See whose counter moves: tc -s filter show dev {} {}, tc -s qdisc show dev "
                     "{}, bpftool net show dev {}.",
                     device, scene.is_answer() ? "egress" : "ingress", device, device);
}

std::string advice_for_xdp(const Scene& scene) {
  return fmt::format("See the program: bpftool net show dev {}, ip -d link show dev {}.",
                     scene.device(), scene.device());
}

std::string advice_for_cgroup(const Scene& scene) {
  const auto& owner = scene.facts.owner;
  const bool known = owner && owner->cgroup;
  const std::string path = known ? std::string{std::string_view{*owner->cgroup}} : "/CGROUP";
  return fmt::format("See the programs of cgroup {} and of those above it: bpftool cgroup tree "
                     "/sys/fs/cgroup; systemd's are of IPAddressDeny= and IPAddressAllow=: "
                     "systemctl show -p IPAddressDeny UNIT.",
                     path);
}

std::string advice_for_reverse_path(const Scene& scene) {
  return fmt::format("The way back to {} leads through another device than {}, by which they came: "
                     "ip route get {}. Set net.ipv4.conf.{}.rp_filter and net.ipv4.conf.all."
                     "rp_filter to 2 where routes are asymmetric.",
                     scene.client(), scene.device(), scene.client(), scene.device());
}

std::string advice_for_not_local(const Scene& scene) {
  return fmt::format("They came by {} to {}, which is not an address of this host there, or with a "
                     "link-layer address that is not its own: ip address show to {}, ip link show "
                     "dev {}; and on the sender's side ip neigh show.",
                     scene.device(), scene.server(), scene.server(), scene.device());
}

std::string advice_for_route_localnet(const Scene& scene) {
  return fmt::format("A translation sends them to {}: nft list ruleset (dnat). Set "
                     "net.ipv4.conf.{}.route_localnet=1, or translate to an address of the host.",
                     scene.server(), scene.device());
}

std::string advice_for_no_route(const Scene& scene) {
  return fmt::format("See ip route get {}; ip route show type blackhole, type unreachable and type "
                     "prohibit.",
                     scene.client());
}

std::string advice_for_neighbour(const Scene& scene) {
  const auto& translation = scene.refused.translation;
  if (translation && scene.refused.is_passing && !scene.is_answer())
    return fmt::format(
        "Nobody answers there for {}: a container that is gone, and the rule that published its "
        "port is left. See nft list ruleset (dnat to), ip neigh show dev {}, and the runtime's "
        "list of ports.",
        translation->own.address
            ? std::string{std::string_view{to_string(*translation->own.address)}}
            : "it",
        scene.device());
  return fmt::format(
      "Nobody answers for the link-layer address of the next hop to {} on {}, or the "
      "table is full: ip route get {}, ip neigh show dev {} (FAILED), sysctl "
      "net.ipv4.neigh.default.gc_thresh3.",
      scene.client(), scene.device(), scene.client(), scene.device());
}

std::string advice_for_checksum(const Scene& scene) {
  return fmt::format(
      "A device or tunnel on the way damages packets, or the sender leaves sums to a "
      "device that does not make them: on the sender, ethtool -K DEV tx off shows "
      "it. They came by {}.",
      scene.device());
}

std::string advice_for_old_connection(const Scene& scene) {
  const auto& old = scene.refused.old_connection;
  const bool waits = old && tcp_state_name(old->state) == "time_wait";
  if (waits)
    return fmt::format("The client, or a NAT before it, uses a port again too soon, and clocks "
                       "differ behind one address: give the NAT more ports or addresses. ss -tan "
                       "state time-wait dst {} shows the old ones.",
                       scene.client());
  return fmt::format("The client has started anew, or a NAT uses its port again, while this host "
                     "holds the old connection: ss -tnp dst {} shows whose it is. Keepalives or "
                     "TCP_USER_TIMEOUT end such ones.",
                     scene.client());
}

/// By the kernel's own name of why it dropped the packet (enum skb_drop_reason).
std::string advice_for_other(const Scene& scene) {
  const std::string& reason = scene.facts.kernel_reason;
  if (reason == "TCP_MINTTL")
    return "The client is more hops away than the program allows (IP_MINTTL).";
  if (reason == "XFRM_POLICY")
    return "An IPsec policy wants these packets protected: ip xfrm policy.";
  if (reason == "PFMEMALLOC")
    return "The host is short of memory, and keeps what it has for writing memory out: free -m.";
  if (reason == "IP_LOCAL_SOURCE" || reason == "IP_INVALID_SOURCE")
    return fmt::format(
        "Their source address, {}, is one of this host's own, or of nobody: ip route "
        "get {}.",
        scene.client(), scene.client());
  return "See what the kernel means by it: enum skb_drop_reason.";
}

/// Packets that were refused, by the reason of their records. `what` has a place for them.
struct Refusal {
  aw_reason reason;
  std::string_view name;
  const char* what;
  std::string (*advice)(const Scene&);
};

constexpr std::array table{
    Refusal{AW_NETFILTER_QUEUE, "netfilter_queue",
            "a rule hands packets to a queue that no program reads: {} dropped",
            [](const Scene&) -> std::string {
              return "Start the program that reads it, or let the rule pass packets without one "
                     "(bypass): nft list ruleset, iptables-save (NFQUEUE), cat "
                     "/proc/net/netfilter/nfnetlink_queue.";
            }},
    Refusal{AW_TRAFFIC_CONTROL, "traffic_control", "traffic control on {device} dropped {}",
            advice_for_traffic_control},
    Refusal{AW_XDP, "xdp", "an XDP program on {device} dropped {}", advice_for_xdp},
    Refusal{AW_CGROUP_PROGRAM, "cgroup_program", "a BPF program of the cgroup dropped {}",
            advice_for_cgroup},
    Refusal{AW_SOCKET_FILTER, "socket_filter", "the listener's own socket filter dropped {}",
            [](const Scene&) -> std::string {
              return "See the filter that the program attached: ss -ltb.";
            }},
    Refusal{AW_REVERSE_PATH, "reverse_path", "the reverse path filter of {device} dropped {}",
            advice_for_reverse_path},
    Refusal{AW_NOT_LOCAL, "not_local", "{} came to an address that is not this host's",
            advice_for_not_local},
    Refusal{AW_ROUTE_LOCALNET, "route_localnet",
            "{} came by {device} to a loopback address, which may not be reached from outside",
            advice_for_route_localnet},
    Refusal{AW_NO_ROUTE, "no_route", "there is no route back to the client: {} dropped",
            advice_for_no_route},
    Refusal{AW_NEIGHBOUR, "neighbour", "no neighbour takes them: {} lost on {device}",
            advice_for_neighbour},
    Refusal{AW_CHECKSUM, "checksum", "a wrong checksum: {} dropped", advice_for_checksum},
    Refusal{AW_CPU_BACKLOG, "cpu_backlog", "the backlog of a CPU was full: {} dropped",
            [](const Scene&) -> std::string {
              return "See net.core.netdev_max_backlog, and whether one CPU does all the work: cat "
                     "/proc/net/softnet_stat.";
            }},
    Refusal{AW_OLD_CONNECTION, "old_connection",
            "an old connection of the same ports is not over here: {} refused",
            advice_for_old_connection},
    Refusal{AW_TIMESTAMPS, "timestamps",
            "timestamps that were never sent, or are too old: {} dropped",
            [](const Scene&) -> std::string {
              return "Something between the client and this host rewrites TCP timestamps: look for "
                     "a middlebox or a load balancer. net.ipv4.tcp_timestamps=0 avoids them.";
            }},
    Refusal{AW_WINDOW, "window", "numbers outside of the window: {} dropped",
            [](const Scene&) -> std::string {
              return "Something between the client and this host changes sequence numbers, or "
                     "answers for it: look for a middlebox or a load balancer.";
            }},
    Refusal{AW_AUTHENTICATION, "authentication", "a missing or wrong MD5/AO signature: {} dropped",
            [](const Scene&) -> std::string { return "Compare the keys of both ends."; }},
    Refusal{
        AW_SECURITY_MODULE, "security_module", "a security module refused {}",
        [](const Scene&) -> std::string { return "See its log: ausearch -m avc, journalctl -k."; }},
    Refusal{AW_MEMORY, "memory", "the kernel had no memory for a request: {} dropped",
            [](const Scene&) -> std::string {
              return "The host is short of memory: see free -m and the kernel's log. What is kept "
                     "for packets is vm.min_free_kbytes.";
            }},
    Refusal{AW_OTHER, "refused_on_the_way", "the kernel refused {} on the way in",
            advice_for_other},
    Refusal{AW_COOKIE_INVALID, "cookie_invalid", "ACKs with no valid cookie: {} dropped",
            [](const Scene&) -> std::string {
              return "They came too late (after two minutes), or were forged.";
            }},
};

std::string sentence(const RuleContext& c, const Refusal& kind, const Scene& scene) {
  std::string what = fmt::format(
      fmt::runtime(kind.what), packets_of(c.dropped(kind.reason), scene.refused),
      fmt::arg("device", scene.refused.device.empty() ? "a device" : scene.refused.device));
  if (kind.reason == AW_OTHER)
    what += fmt::format(": {}", scene.facts.kernel_reason.empty() ? "no reason is known"
                                                                  : scene.facts.kernel_reason);
  if (scene.refused.translation)
    what += fmt::format(", on the way to {}", text_of(*scene.refused.translation));
  if (const auto& old = scene.refused.old_connection) {
    what += fmt::format(", the last for one in {}", tcp_state_name(old->state));
    if (old->idle_seconds)
      what += fmt::format(", silent for {:.1f} s", *old->idle_seconds);
  }
  return what;
}

} // namespace

std::vector<Finding> refusals(const RuleContext& c) {
  std::vector<Finding> findings;
  const Refused unknown;
  for (const Refusal& kind : table) {
    const Seen& seen = c.dropped(kind.reason);
    if (!c.goes_on(seen))
      continue;
    const auto refused = c.facts.refusals.find(kind.reason);
    const Scene scene{c.facts, refused == c.facts.refusals.end() ? unknown : refused->second};
    Finding finding{
        kind.name, Confidence::certain, sentence(c, kind, scene), {}, kind.advice(scene)};
    add_number(finding, "dropped", seen.count);
    add_number(finding, "clients", c.facts.clients);
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<std::string_view> refusal_names() {
  std::vector<std::string_view> names;
  std::ranges::transform(table, std::back_inserter(names), &Refusal::name);
  return names;
}

} // namespace acceptwatch::rule
