// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acceptwatch/record_cpp.h"

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace acceptwatch {

enum class Command { watch, explain, check, list };
enum class OutputFormat { text, ndjson };
enum class Colour { automatic, always, never };

/// What was asked for: a plain value, whatever read it.
struct Options {
  Command command = Command::watch;

  // Filters; empty or absent: all.
  std::optional<std::bitset<65536>> ports;
  std::optional<uint16_t> explained; ///< the port of `explain`, which is in `ports`, too
  std::vector<uint32_t> pids;
  std::vector<std::string> comms;
  std::vector<std::string> cgroups;
  std::optional<uint32_t> netns;    ///< inode
  uint16_t family = 0;              ///< AF_INET, AF_INET6; 0: both
  uint32_t actions = ~0U;           ///< bit (1 << aw_action)
  bool all_resets = false;          ///< of connections that were accepted, too
  bool after_accept = false;        ///< connections that owners close at once, too
  std::vector<std::string> filters; ///< as given, for the start record

  OutputFormat format = OutputFormat::text;
  bool wide = false;
  Colour colour = Colour::automatic;
  std::string output; ///< path; empty or "-": standard output
  std::string tape;   ///< path: what comes in is written there; empty: nowhere
  bool tape_leaves_out_names = false;
  std::string played; ///< path of a tape that is played instead of watching; empty: none

  std::optional<double> duration; ///< seconds, above 0
  std::optional<uint64_t> count;  ///< records, at least 1
  uint32_t rate = 1000;           ///< records a second of one kind; 0: all of them

  uint8_t pressure_percent = 80; ///< of a queue's limit, from which queue_pressure warns; 1 to 100
  double look_share = 0.25;      ///< of a CPU, for looks at processes; above 0, at most 1
  std::optional<double> sample_seconds; ///< 0: never; absent: as the format has it
  double stall_seconds = 1;             ///< nothing accepted for so long: accept_stalled; above 0

  std::optional<aw_source> tier;     ///< absent: the best
  std::string btf;                   ///< path
  std::vector<std::string> withheld; ///< KernelFilter::withheld
  std::optional<int> ready_fd;
  std::string user; ///< as whom it runs; empty: as whoever started it
  int verbosity = 0;
  bool quiet = false;
};

} // namespace acceptwatch
