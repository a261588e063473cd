// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/host.h"
#include "host/proc_host.h"
#include "kernel/control.h"

#include <functional>
#include <memory>

namespace acceptwatch {

/// What was seen: a record, and how many occurrences it stands for. A listener_closed without a
/// process is of one that was held last by acceptwatch itself, for a look.
using RecordHandler = std::function<void(const Record& record, uint64_t count)>;

/// Where records come from: the BPF programs, or polling.
class RecordSource {
public:
  RecordSource() = default;
  virtual ~RecordSource() = default;
  RecordSource(const RecordSource&) = delete;
  RecordSource& operator=(const RecordSource&) = delete;

  /// Switches every probe on. From its return on nothing is missed.
  [[nodiscard]] virtual Result<void> activate() = 0;
  /// Makes no further records. Those that wait already can still be drained.
  virtual void deactivate() = 0;
  /// Readable when records wait.
  [[nodiscard]] virtual int fd() const = 0;
  /// Calls `handler` for the records that wait, some thousand at most. True if more may wait.
  [[nodiscard]] virtual Result<bool> drain(const RecordHandler& handler) = 0;
};

/// Probes that were opened: the interfaces of one object.
struct Probes {
  std::shared_ptr<RecordSource> records;
  std::shared_ptr<Host> host;
  std::shared_ptr<KernelControl> control;
  std::shared_ptr<ProcHost> looks; ///< the host once more: to limit what its looks may take
  bool sees_queues = false;        ///< Host::look() shows the queues of listeners
  bool sees_accept = false;        ///< and with it who calls it and how long connections waited
  /// What was attached, for people: "fentry/tcp_conn_request".
  std::vector<std::string> attached;
};

/// The interfaces of an object that implements all of them.
template <typename T> Probes faces_of(const std::shared_ptr<T>& object) {
  return {object, object, object, object, false, false, {}};
}

} // namespace acceptwatch
