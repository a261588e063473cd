// SPDX-License-Identifier: Apache-2.0
#include "core/options.h"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "core/hardship.h"

namespace acceptwatch::scenarios {

namespace {

std::string beside_this_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "acceptwatch").string();
}

CLI::Option* add_positive(CLI::App& app, const std::string& name, int& value,
                          const std::string& about) {
  return app.add_option(name, value, about)
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N");
}

// CLI11 takes "-1" for the largest number there is.
std::string complaint_about_seed(const std::string& text) {
  return text.find_first_not_of("0123456789") == std::string::npos ? "" : "a seed is a number";
}

std::string complaint_about_hardship(const std::string& text) {
  return hardships.contains(text) || probe_of(text) ? "" : "not known: " + text;
}

void add_seed(CLI::App& app, const std::string& name, std::optional<uint64_t>& seed,
              const std::string& about) {
  app.add_option(name, seed, about)->check(complaint_about_seed)->type_name("SEED");
}

void add_subject(CLI::App& app, Options& options) {
  app.add_option("--acceptwatch", options.acceptwatch,
                 "The program under test; as a rule, acceptwatch beside this one")
      ->type_name("PATH");
  app.add_option("--tier,--probes", options.tier, "fentry, kprobe, tracepoint, poll or auto")
      ->type_name("TIER")
      ->capture_default_str();
  app.add_option("--schema", options.schema, "Validate every line against this JSON Schema")
      ->type_name("FILE");
  app.add_option("--records", options.records, "Keep every line there")->type_name("FILE");
  app.add_option(
         "--tapes", options.tapes,
         "Each acceptwatch writes what comes in to DIR/SCENARIO.tape, or together.tape where "
         "several share it; its lines are kept beside, as SCENARIO.ndjson")
      ->check(CLI::ExistingDirectory.description(""))
      ->type_name("DIR");
  app.add_option("--without", options.without,
                 "As on a host without cgroup2 or, \"admin\", without CAP_SYS_ADMIN and "
                 "CAP_NET_ADMIN; \"probe:NAME\": as on a kernel that refuses that program")
      ->check(complaint_about_hardship)
      ->type_name("WHAT")
      ->allow_extra_args(false);
  app.add_option("--look-budget", options.look_budget,
                 "Passed on to acceptwatch: on an emulated CPU each look takes 20 times as long")
      ->type_name("PERCENT");
  app.add_flag("--provoke-only", options.provoke_only,
               "Without acceptwatch: only whether the kernel's counters move as claimed");
}

void add_what_to_play(CLI::App& app, Options& options) {
  app.add_option("NAME", options.names, "Only these scenarios, or patterns of names")
      ->type_name("");
  app.add_option("--except", options.except, "Not this one")
      ->type_name("NAME")
      ->allow_extra_args(false);
  add_positive(app, "--race", options.race, "N times: one loss right after the start record");
  add_seed(app, "--storm", options.storm,
           "Only handshakes with fates drawn at random; the same for the same seed");
  add_positive(app, "--handshakes", options.handshakes, "How many of them")->capture_default_str();
  add_positive(app, "--connections", options.connections, "Of each scenario that is a race")
      ->capture_default_str();
  add_seed(app, "--incidents", options.incidents,
           "What `acceptwatch explain` says of causes, and of what only nearly is one");
  add_positive(app, "--draw", options.drawn, "Only so many of them");
  add_positive(app, "--latency", options.latency,
               "N connections wait for accept(): whether their times are reported "
               "(2500 or more on a tier that does not see accept())");
  app.add_flag("--self-test", options.self_test, "Whether wrong records would be found");
  app.add_flag("--list", options.list, "Names and descriptions");
  app.add_flag("--tiers", options.tiers, "The tiers that this kernel is known to have");
  app.add_option("--write-blind", options.write_blind,
                 "Write what `acceptwatch check` says it is blind to there, as a list to be "
                 "committed; named scenarios that change that are played")
      ->type_name("DIR");
}

void add_how_to_play(CLI::App& app, Options& options) {
  add_positive(app, "--repeat", options.repeat, "The whole run N times");
  add_positive(app, "--jobs", options.jobs, "Scenarios at the same time")->capture_default_str();
  app.add_option("--allow-skip", options.allowed_skips,
                 "Those (\"mptcp_*\") may be skipped; any other skip is a failure")
      ->type_name("NAMES")
      ->allow_extra_args(false); // one each: what follows are names of scenarios
  app.add_flag("--allow-missing", options.allow_missing,
               "A tier that `acceptwatch check` refuses is a skip, not a failure");
  app.add_flag("-v", options.verbosity, "Say more; twice: every record");
}

} // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  options.acceptwatch = beside_this_program();
  CLI::App app("Loses known numbers of connections, and compares acceptwatch's records with them "
               "and with the kernel's counters.",
               "acceptwatch-scenarios");
  add_subject(app, options);
  add_what_to_play(app, options);
  add_how_to_play(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    std::exit(0);
  } catch (const CLI::ParseError& error) {
    std::cerr << "acceptwatch-scenarios: " << error.what() << "\n" << app.help();
    std::exit(2);
  }
  return options;
}

} // namespace acceptwatch::scenarios
