// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/host.h"
#include "kernel/control.h"

#include <functional>
#include <memory>

namespace acceptwatch {

/// What was seen: a record, and how many occurrences it stands for.
using RecordHandler = std::function<void(const Record& record, uint64_t count)>;

/// Where records come from: the BPF programs, or polling.
class RecordSource {
public:
  RecordSource() = default;
  virtual ~RecordSource() = default;
  RecordSource(const RecordSource&) = delete;
  RecordSource& operator=(const RecordSource&) = delete;

  /// Every probe live; from here on nothing is missed.
  [[nodiscard]] virtual Result<void> activate() = 0;
  /// No record after this, but for those that wait already.
  virtual void deactivate() = 0;
  /// Readable when records wait.
  [[nodiscard]] virtual int fd() const = 0;
  /// Hands over what waits, some thousand records at most. True: more may wait.
  [[nodiscard]] virtual Result<bool> drain(const RecordHandler& handler) = 0;
};

/// What opening probes gives: one object with the three faces that its users need. All live as
/// long as `records`.
struct Probes {
  std::shared_ptr<RecordSource> records;
  std::shared_ptr<Host> host;
  std::shared_ptr<KernelControl> control;
  bool sees_queues = false; ///< Host::look() shows the queues of listeners
  bool sees_accept = false; ///< and with it who calls it and how long connections waited
  /// What was attached, for people: "fentry/tcp_conn_request".
  std::vector<std::string> attached;
};

/// Of an object that is all three.
template <typename T> Probes faces_of(std::shared_ptr<T> object) {
  return {object, object, object, false, false, {}};
}

} // namespace acceptwatch
