// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/file.h"
#include "events/event.h"
#include "host/procfs.h"

#include <optional>
#include <vector>

namespace acceptwatch {

/// Where a network namespace sends connections on to that are for one port: what connection
/// tracking tells of each new one (NFNLGRP_CONNTRACK_NEW). The kernel leaves out those to other
/// ports, and makes such messages only while somebody listens.
class TranslationReader {
public:
  /// `netns`: its inode; absent: this process's own. Nothing where connections are not tracked
  /// there, or it may not be entered.
  [[nodiscard]] static std::optional<TranslationReader>
  open(const ProcFs& procfs, std::optional<uint32_t> netns, uint16_t port);

  /// All that are known by now, each once; the last ones, at most max_known.
  [[nodiscard]] const std::vector<Translation>& read();

  static constexpr size_t max_known = 64;

private:
  explicit TranslationReader(UniqueFd netlink) : netlink_(std::move(netlink)) {}
  void note(const Translation& translation);

  UniqueFd netlink_;
  std::vector<Translation> known_;
};

/// Of one message; nothing where nothing is translated, or it is no TCP.
[[nodiscard]] std::optional<Translation> translation_in(std::string_view message);

} // namespace acceptwatch
