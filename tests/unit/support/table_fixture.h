// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/table.h"
#include "support/fake_host.h"
#include "support/records.h"

#include <gtest/gtest.h>

namespace acceptwatch::unit {

/// A table, and records as the kernel programs would send them.
class TableTest : public ::testing::Test {
protected:
  /// /proc knows the process from here on; `start` in clock ticks, by which starts
  /// are compared.
  void born(uint32_t pid, uint64_t start, const std::string& name,
            std::optional<std::string> cgroup = std::nullopt) {
    host.processes[pid] = {name, start * tick_ns, std::move(cgroup), {}};
  }

  void opened(uint64_t id, uint32_t pid, std::string_view name) {
    auto record = an_event(AW_LISTENER_OPENED);
    record.flags = AW_HAS_LISTENER;
    record.listener = listener(id);
    record.pid = pid;
    set_comm(record.comm, name);
    table.opened(record);
  }

  void closed(uint64_t id, uint64_t closed_ns = 0) { table.closed(closed_record(id, closed_ns)); }

  /// A scan finds the descriptor `fd` of `pid`.
  void held(uint64_t id, uint32_t pid, uint64_t start, uint32_t fd, std::string_view name) {
    aw_holder record{};
    record.header.boot_ns = 1;
    record.listener = listener(id);
    record.start_ns = start * tick_ns;
    record.pid = pid;
    record.fd = fd;
    set_comm(record.comm, name);
    table.add_holder(record);
  }

  void forked(uint32_t parent, uint32_t child, uint64_t start = 0) {
    changed(AW_PROCESS_FORK, child, parent, 0, "", start * tick_ns);
  }
  void executed(uint32_t pid, std::string_view name) { changed(AW_PROCESS_EXEC, pid, 0, 0, name); }
  /// `exit_code` as wait(2) has it.
  void exited(uint32_t pid, uint32_t exit_code = 0) {
    changed(AW_PROCESS_EXIT, pid, 0, 0, "", 0, exit_code);
  }
  void accepts(uint64_t id, uint32_t pid, std::string_view name) {
    changed(AW_PROCESS_ACCEPTS, pid, 0, id, name);
  }

  void renamed(uint32_t pid, std::string_view name) { changed(AW_PROCESS_RENAME, pid, 0, 0, name); }

  Event attributed(uint64_t id) const {
    Event event;
    event.listener = id;
    table.attribute(event);
    return event;
  }

  /// The same after a comparison with /proc.
  Event verified(uint64_t id, uint64_t batch) {
    table.verify(id, batch, batch);
    return attributed(id);
  }

  /// The pid of the owner; 0: none is known.
  [[nodiscard]] uint32_t owner(uint64_t id) const {
    const Listener* found = table.find(id);
    const Holder* holder = found ? owner_of(*found) : nullptr;
    return holder ? holder->pid : 0;
  }

  static aw_listener listener(uint64_t id) {
    aw_listener record{};
    record.id = id;
    record.netns = 4026531840;
    record.family = AF_INET;
    record.port = 9799;
    set_address(record.address, "10.0.0.5");
    return record;
  }

  static constexpr uint64_t tick_ns = 10'000'000;

  FakeHost host;
  ListenerTable table{host};

private:
  void changed(aw_process_change change, uint32_t pid, uint32_t other, uint64_t id,
               std::string_view name, uint64_t start_ns = 0, uint32_t exit_code = 0) {
    aw_process record{};
    record.exit_code = exit_code;
    record.start_ns = start_ns;
    record.change = change;
    record.pid = pid;
    record.other_pid = other;
    record.listener = id;
    set_comm(record.comm, name);
    table.process_changed(record);
  }
};

} // namespace acceptwatch::unit
