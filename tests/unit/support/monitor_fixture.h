// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/names.h"
#include "model/monitor.h"
#include "support/collecting_sink.h"
#include "support/fake_control.h"
#include "support/fake_host.h"
#include "support/records.h"

#include <gtest/gtest.h>

namespace acceptwatch::unit {

inline constexpr uint64_t second = 1'000'000'000;
inline constexpr uint64_t tenth = second / 10;
inline constexpr uint32_t a_netns = 4026531840;

/// A Monitor of a host that is well: the listener 7 is on 10.0.0.5:80, and process 4711, "java",
/// holds it. The tier sees accept(), and looks show the queues.
class MonitorTest : public ::testing::Test {
protected:
  MonitorTest() {
    scope.tier = AW_SOURCE_FENTRY;
    scope.sees_queues = scope.sees_accept = true;
    host.readings[a_netns] = {};
    host.look_ns = 0;
    host.holders.push_back(a_holder(shop, 80, 4711, "java"));
  }

  static constexpr uint64_t shop = 7;

  static aw_listener a_listener(uint64_t id, uint16_t port = 80, const char* address = "10.0.0.5") {
    aw_listener listener{};
    listener.id = id;
    listener.cookie = id + 1000;
    listener.netns = a_netns;
    listener.accept_limit = listener.syn_limit = 10;
    listener.family = std::strchr(address, ':') ? AF_INET6 : AF_INET;
    listener.port = port;
    set_address(listener.address, address);
    return listener;
  }

  /// As the iterator shows it.
  static aw_holder a_holder(uint64_t id, uint16_t port, uint32_t pid, std::string_view name) {
    aw_holder holder{};
    holder.listener = a_listener(id, port);
    holder.pid = pid;
    holder.fd = 3;
    holder.start_ns = second;
    holder.somaxconn = 4096;
    holder.max_syn_backlog = 4096;
    holder.syncookies = 1;
    set_comm(holder.comm, name);
    return holder;
  }

  /// Of a packet from 10.0.0.9 that came to a listener.
  [[nodiscard]] aw_event about(uint64_t id, aw_action action, aw_reason reason = AW_REASON_NONE,
                               uint16_t port = 80) const {
    aw_event record = to(port, action, reason);
    record.flags |= AW_HAS_ALL_OF_LISTENER;
    record.listener = a_listener(id, port);
    return record;
  }

  /// The same of one that came to none.
  [[nodiscard]] aw_event to(uint16_t port, aw_action action, aw_reason reason) const {
    aw_event record = an_event(action);
    record.header.boot_ns = now;
    record.reason = static_cast<__u8>(reason);
    record.flags = AW_HAS_ENDS;
    record.listener.netns = a_netns;
    record.ends.family = AF_INET;
    record.ends.server_port = port;
    record.ends.client_port = 51812;
    set_address(record.ends.server_address, "10.0.0.5");
    set_address(record.ends.client_address, "10.0.0.9");
    return record;
  }

  [[nodiscard]] aw_event opened(uint64_t id, uint16_t port, uint32_t pid,
                                std::string_view name) const {
    aw_event record = about(id, AW_LISTENER_OPENED, AW_REASON_NONE, port);
    record.flags = AW_HAS_ALL_OF_LISTENER;
    record.pid = pid;
    set_comm(record.comm, name);
    return record;
  }

  [[nodiscard]] aw_process changed(aw_process_change change, uint32_t pid,
                                   std::string_view name) const {
    aw_process record{};
    record.header.boot_ns = now;
    record.change = change;
    record.pid = pid;
    set_comm(record.comm, name);
    return record;
  }

  [[nodiscard]] Instant at() const { return {now, wall_offset, 0}; }

  Result<void> begin() {
    monitor.emplace(scope, reasons, host, control, sink);
    host.now_ns = now;
    return monitor->begin([this]() -> Result<Instant> { return at(); });
  }

  void apply(const Record& record, uint64_t count = 1) {
    host.now_ns = now;
    monitor->apply(record, count, at());
  }

  /// Time passes, and what is due is done.
  void tick_after(uint64_t ns) {
    now += ns;
    host.now_ns = now;
    monitor->tick(at());
  }

  /// The queue of a holder that looks show: so many wait, the first of them since then.
  void waits(aw_holder& holder, uint32_t depth, uint64_t since_ns) const {
    holder.listener.accept_depth = depth;
    holder.listener.head_us = depth ? since_ns / 1000 : 0;
  }

  /// The names of the actions that were told, and forgets them.
  std::vector<std::string> told() {
    std::vector<std::string> names;
    for (const Event& event : sink.events)
      names.emplace_back(name_of(event.action));
    sink.events.clear();
    return names;
  }

  static Counter a_count(uint64_t id, aw_action action, aw_reason reason, aw_stage stage,
                         uint64_t count, uint64_t summed_up = 0) {
    Counter counter;
    counter.key.listener = id;
    counter.key.netns = a_netns;
    counter.key.action = static_cast<__u8>(action);
    counter.key.reason = static_cast<__u8>(reason);
    counter.key.stage = static_cast<__u8>(stage);
    counter.count = count;
    counter.suppressed = summed_up;
    return counter;
  }

  static constexpr int64_t wall_offset = 1'795'000'000'000'000'000;

  uint64_t now = 100 * second;
  Scope scope;
  ReasonNames reasons = [](aw_reason_space, uint32_t) { return "TCP_LISTEN_OVERFLOW"; };
  FakeHost host;
  FakeControl control;
  CollectingSink sink;
  std::optional<Monitor> monitor;
};

using Told = std::vector<std::string>;

} // namespace acceptwatch::unit
