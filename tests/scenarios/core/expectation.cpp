// SPDX-License-Identifier: Apache-2.0
#include "core/expectation.h"

#include "core/error.h"

namespace acceptwatch::scenarios {

// TCPTimeouts is not among them: it counts every timer, a FIN's as well as a SYN-ACK's.
const std::vector<std::string> audited_counters = {
    "ListenOverflows",      "ListenDrops",          "TCPReqQFullDrop",  "TCPReqQFullDoCookies",
    "SyncookiesSent",       "SyncookiesRecv",       "SyncookiesFailed", "TCPSynRetrans",
    "EmbryonicRsts",        "TCPDeferAcceptDrop",   "OutRsts",          "TCPFastOpenListenOverflow",
    "TCPMigrateReqSuccess", "TCPMigrateReqFailure",
};

const std::vector<std::string> other_counters = {
    "TCPMinTTLDrop", "TCPMD5NotFound",   "TCPMD5Unexpected",
    "TCPAORequired", "TCPAOKeyNotFound", "TCPAOBad",
};

namespace {

// Drops that tcp_listendrop() counts; the others end before or beside it, and so do answers.
bool is_in_listen_drops(const Expectation& expected) {
  const std::string& reason = expected.reason;
  return expected.stage != "synack" &&
         (reason == "accept_queue_full" || reason == "syn_queue_full" ||
          reason == "syn_backlog_reserved" || reason == "request_failed" || reason == "no_route" ||
          reason == "memory" || reason == "security_module");
}

} // namespace

std::string Range::text() const { return low == high ? std::to_string(low) : cat(low, "..", high); }

uint64_t Expectation::total() const {
  if (clients.empty()) {
    return count;
  }
  uint64_t sum = 0;
  for (const auto& [port, times] : clients) {
    sum += times;
  }
  return sum;
}

bool Expectation::absorb(const Expectation& more) {
  const auto kind = [](const Expectation& one) {
    return std::tie(one.action, one.reason, one.stage, one.network_type, one.server_address,
                    one.client_address, one.server_port, one.folds, one.owner, one.no_owner,
                    one.accept_depth, one.accept_limit, one.syn_depth, one.syn_limit, one.retry,
                    one.nat_port, one.netfilter_hook, one.netfilter_table, one.netfilter_chain,
                    one.end, one.kernel_function, one.also);
  };
  if (kind(*this) != kind(more) || clients.empty() != more.clients.empty()) {
    return false;
  }
  count += more.count;
  for (const auto& [port, times] : more.clients) {
    clients[port] += times;
  }
  return true;
}

std::string Expectation::text() const {
  std::string out = cat(total(), " x ", action);
  if (!reason.empty()) {
    out += "/" + reason;
  }
  if (!stage.empty()) {
    out += " at stage " + stage;
  }
  if (server_port != 0) {
    out += cat(" on port ", server_port);
  }
  if (owner) {
    out += cat(" of ", owner->name, "[", owner->pid, "]");
  }
  if (retry) {
    out += cat(" retry ", retry->text());
  }
  return out;
}

std::map<uint16_t, uint64_t> once_each(const std::vector<uint16_t>& ports) {
  std::map<uint16_t, uint64_t> result;
  for (const uint16_t port : ports) {
    ++result[port];
  }
  return result;
}

std::map<std::string, int64_t> explained_counters(const std::vector<Expectation>& expectations) {
  std::map<std::string, int64_t> sum;
  for (const Expectation& expected : expectations) {
    const auto times = static_cast<int64_t>(expected.total());
    if (!expected.also.empty()) {
      sum[expected.also] += times;
    }
    if (expected.action == "listen_drop") {
      sum["ListenOverflows"] += expected.reason == "accept_queue_full" ? times : 0;
      sum["ListenDrops"] += is_in_listen_drops(expected) ? times : 0;
      sum["TCPReqQFullDrop"] += expected.reason == "syn_queue_full" ? times : 0;
      sum["SyncookiesFailed"] += expected.reason == "cookie_invalid" ? times : 0;
      sum["SyncookiesRecv"] +=
          expected.stage == "cookie" && expected.reason != "cookie_invalid" ? times : 0;
    } else if (expected.action == "syncookie_sent") {
      // tcp_syn_flood_action() counts the decision, cookie_init_sequence() the cookie.
      sum["SyncookiesSent"] += times;
      sum["TCPReqQFullDoCookies"] += times;
    } else if (expected.action == "synack_retransmit") {
      sum["TCPSynRetrans"] += times;
    } else if (expected.action == "reset_sent") {
      sum["OutRsts"] += expected.reason == "firewall" ? 0 : times; // netfilter counts none
      // tcp_check_req() ends in embryonic_reset.
      sum["EmbryonicRsts"] += expected.reason == "abort_on_overflow" ? times : 0;
    } else if (expected.action == "reset_received") {
      sum["EmbryonicRsts"] += expected.reason == "handshake" ? times : 0;
    }
  }
  return sum;
}

} // namespace acceptwatch::scenarios
