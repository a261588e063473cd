// SPDX-License-Identifier: Apache-2.0
#include "core/options.h"

#include <getopt.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace acceptwatch::scenarios {

namespace {

constexpr const char* usage =
    "usage: acceptwatch-scenarios [options] [NAME…]\n"
    "Loses known numbers of connections, and compares acceptwatch's records with them and with the "
    "kernel's counters.\n"
    "\n"
    "  --acceptwatch PATH  the program under test (acceptwatch beside this one)\n"
    "  --tier TIER         fentry, kprobe, tracepoint, poll or auto (auto)\n"
    "  --schema FILE       validate every line against this JSON Schema\n"
    "  --records FILE      keep every line there\n"
    "  --provoke-only      without acceptwatch: only whether the kernel's counters move as "
    "claimed\n"
    "  --race N            N times: one loss in the instant after the start record\n"
    "  --storm SEED        only handshakes with fates drawn at random; the same for the same seed\n"
    "  --handshakes N      how many of them (2000)\n"
    "  --incidents SEED    what `acceptwatch explain` says of causes, and of what only nearly is one\n"
    "  --draw N            only so many of them\n"
    "  --latency N         N connections wait for accept(): whether their times are reported\n"
    "                      (2500 or more on a tier that does not see accept())\n"
    "  --repeat N          the whole run N times\n"
    "  --jobs N            scenarios at the same time (4)\n"
    "  --allow-skip NAMES  those (\"mptcp_*\") may be skipped; any other skip is a failure\n"
    "  --allow-missing     a tier that `acceptwatch check` refuses is a skip, not a failure\n"
    "  --self-test         whether wrong records would be found\n"
    "  --list              names and descriptions\n"
    "  -v                  say more; twice: every record\n";

[[noreturn]] void refuse(const std::string& why) {
  std::cerr << "acceptwatch-scenarios: " << why << "\n" << usage;
  std::exit(2);
}

int positive(const char* text, const char* option) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*end != '\0' || value < 1 || value > 1000000) {
    refuse(std::string(option) + " takes a positive number, not " + text);
  }
  return static_cast<int>(value);
}

uint64_t seed(const char* text) {
  char* end = nullptr;
  const unsigned long long value = std::strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0') {
    refuse(std::string("a seed is a number, not ") + text);
  }
  return value;
}

std::string beside_this_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "acceptwatch").string();
}

enum Long {
  acceptwatch = 256,
  tier,
  schema,
  records,
  provoke_only,
  race,
  storm,
  handshakes,
  incidents,
  draw,
  latency,
  repeat,
  jobs,
  allow_skip,
  allow_missing,
  list,
  self_test
};

const option long_options[] = {
    {"acceptwatch", required_argument, nullptr, acceptwatch},
    {"tier", required_argument, nullptr, tier},
    {"probes", required_argument, nullptr, tier},
    {"schema", required_argument, nullptr, schema},
    {"records", required_argument, nullptr, records},
    {"provoke-only", no_argument, nullptr, provoke_only},
    {"race", required_argument, nullptr, race},
    {"storm", required_argument, nullptr, storm},
    {"handshakes", required_argument, nullptr, handshakes},
    {"incidents", required_argument, nullptr, incidents},
    {"draw", required_argument, nullptr, draw},
    {"latency", required_argument, nullptr, latency},
    {"repeat", required_argument, nullptr, repeat},
    {"jobs", required_argument, nullptr, jobs},
    {"allow-skip", required_argument, nullptr, allow_skip},
    {"allow-missing", no_argument, nullptr, allow_missing},
    {"list", no_argument, nullptr, list},
    {"self-test", no_argument, nullptr, self_test},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};

void apply(Options& options, int choice) {
  switch (choice) {
  case acceptwatch:
    options.acceptwatch = optarg;
    break;
  case tier:
    options.tier = optarg;
    break;
  case schema:
    options.schema = optarg;
    break;
  case records:
    options.records = optarg;
    break;
  case provoke_only:
    options.provoke_only = true;
    break;
  case race:
    options.race = positive(optarg, "--race");
    break;
  case storm:
    options.storm = seed(optarg);
    break;
  case handshakes:
    options.handshakes = positive(optarg, "--handshakes");
    break;
  case incidents:
    options.incidents = seed(optarg);
    break;
  case draw:
    options.drawn = positive(optarg, "--draw");
    break;
  case latency:
    options.latency = positive(optarg, "--latency");
    break;
  case repeat:
    options.repeat = positive(optarg, "--repeat");
    break;
  case jobs:
    options.jobs = positive(optarg, "--jobs");
    break;
  case allow_skip:
    options.allowed_skips.insert(optarg);
    break;
  case allow_missing:
    options.allow_missing = true;
    break;
  case list:
    options.list = true;
    break;
  case self_test:
    options.self_test = true;
    break;
  case 'v':
    ++options.verbosity;
    break;
  case 'h':
    std::cout << usage;
    std::exit(0);
  default:
    refuse("see the options below");
  }
}

} // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  options.acceptwatch = beside_this_program();
  for (int choice = 0; (choice = ::getopt_long(argc, argv, "vh", long_options, nullptr)) != -1;) {
    apply(options, choice);
  }
  options.names.assign(argv + optind, argv + argc);
  return options;
}

} // namespace acceptwatch::scenarios
