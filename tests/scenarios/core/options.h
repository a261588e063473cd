// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace acceptwatch::scenarios {

struct Options {
  std::string acceptwatch;
  std::string tier = "auto";
  std::string schema;
  std::string records;           // a file that gets every line of acceptwatch
  std::set<std::string> without; // what acceptwatch has to do without: do_without()
  std::string look_budget;       // what acceptwatch is given of --look-budget; empty: nothing
  std::string write_blind;       // a directory that gets what `check` says, instead of a comparison
  std::string tapes;             // a directory that gets a tape of each acceptwatch, and its lines
  bool list = false;
  bool tiers = false;
  bool self_test = false;
  bool provoke_only = false;
  bool allow_missing = false;
  int verbosity = 0;
  int repeat = 1;
  int race = 0;
  std::optional<uint64_t> storm;     // its seed
  int handshakes = 2000;             // of that storm
  int connections = 6000;            // of each race among the scenarios
  std::optional<uint64_t> incidents; // the seed of what `acceptwatch explain` is asked about
  int drawn = 0;                     // of those, how many are drawn; 0: all
  int latency = 0;                   // connections whose waits are compared
  int jobs = 4;
  std::set<std::string> allowed_skips; // patterns, as of a shell
  std::vector<std::string> names;
  std::vector<std::string> except;
};

// Exits with 2 and the usage on anything it does not know, with 0 on -h.
Options parse_options(int argc, char** argv);

} // namespace acceptwatch::scenarios
