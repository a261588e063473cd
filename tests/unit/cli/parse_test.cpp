// SPDX-License-Identifier: Apache-2.0
#include "cli/parse.h"

#include "base/text.h"
#include "base/version.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

using Arguments = std::vector<const char*>;

auto parsed(Arguments arguments) {
  arguments.insert(arguments.begin(), "acceptwatch");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

Options options_of(const Arguments& arguments) {
  const auto result = parsed(arguments);
  if (!result) {
    ADD_FAILURE() << result.error().what;
    return {};
  }
  const auto* options = std::get_if<Options>(&*result);
  EXPECT_TRUE(options) << "answered by itself";
  return options ? *options : Options{};
}

std::string answer_of(const Arguments& arguments) {
  const auto result = parsed(arguments);
  const auto* answer = result ? std::get_if<Answer>(&*result) : nullptr;
  EXPECT_TRUE(answer);
  return answer ? answer->text : std::string{};
}

/// Refused with status 2, in words that mention the option.
void expect_wrong(const Arguments& arguments, const char* mentions) {
  const auto result = parsed(arguments);
  ASSERT_FALSE(result) << fmt::format("{}", fmt::join(arguments, " "));
  EXPECT_EQ(result.error().status, ExitStatus::usage);
  EXPECT_NE(result.error().what.find(mentions), std::string::npos) << result.error().what;
  EXPECT_FALSE(result.error().advice.empty());
}

TEST(CommandLine, WithoutOptionsStreamsEverythingAsText) {
  const auto options = options_of({});
  EXPECT_EQ(options.command, Command::watch);
  EXPECT_EQ(options.format, OutputFormat::text);
  EXPECT_FALSE(options.ports);
  EXPECT_FALSE(options.netns);
  EXPECT_FALSE(options.duration);
  EXPECT_FALSE(options.count);
  EXPECT_FALSE(options.tier);
  EXPECT_FALSE(options.ready_fd);
  EXPECT_EQ(options.family, 0);
  EXPECT_EQ(options.actions, ~0U);
  EXPECT_TRUE(options.filters.empty());
}

TEST(CommandLine, AnEmptyValueIsNoneOfAnOptionThatWasNotGiven) {
  for (const char* option : {"--comm", "--cgroup", "--output", "--tape", "--play", "--btf"})
    expect_wrong({option, ""}, (std::string{option} + ": the value is empty").c_str());
  expect_wrong({"list", "--comm", ""}, "--comm: the value is empty");
  expect_wrong({"-P", ""}, "--port");
  expect_wrong({"-e", ""}, "--events");
}

TEST(CommandLine, TakesEveryFilter) {
  const auto options = options_of({"-P", "80,8000-8001", "-p", "12,13", "--comm", "java", "--comm",
                                   "a,b", "--cgroup", "/system.slice", "--netns", "4026531840",
                                   "-4", "-e", "listen_drop,reset_sent"});
  EXPECT_EQ(options.ports->count(), 3U);
  EXPECT_EQ(options.pids, (std::vector<uint32_t>{12, 13}));
  EXPECT_EQ(options.comms, (std::vector<std::string>{"java", "a,b"}));
  EXPECT_EQ(options.cgroups, (std::vector<std::string>{"/system.slice"}));
  EXPECT_EQ(options.netns, 4026531840U);
  EXPECT_EQ(options.family, AF_INET);
  EXPECT_EQ(options.actions, 1U << AW_LISTEN_DROP | 1U << AW_RESET_SENT);
}

TEST(CommandLine, KeepsFiltersAsGivenForTheStartRecord) {
  const auto options = options_of({"-P", "80,8000-8001", "-p", "12", "--pid", "13"});
  EXPECT_EQ(options.filters, (std::vector<std::string>{"port=80,8000-8001", "pid=12,13"}));
}

TEST(CommandLine, TakesEveryOutputOption) {
  const auto options =
      options_of({"--format", "ndjson", "--wide", "-o", "/tmp/x", "-d", "0.5", "-c", "3", "--color",
                  "never", "-q", "--probes", "kprobe", "--btf", "/tmp/btf", "-vv"});
  EXPECT_EQ(options.format, OutputFormat::ndjson);
  EXPECT_TRUE(options.wide);
  EXPECT_EQ(options.output, "/tmp/x");
  EXPECT_EQ(options.duration, 0.5);
  EXPECT_EQ(options.count, 3U);
  EXPECT_EQ(options.colour, Colour::never);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(options.tier, AW_SOURCE_KPROBE);
  EXPECT_EQ(options.btf, "/tmp/btf");
  EXPECT_EQ(options.verbosity, 2);
}

TEST(CommandLine, ShortJsonIsTheSameAsItsFormat) {
  EXPECT_EQ(options_of({"-j"}).format, OutputFormat::ndjson);
  EXPECT_EQ(options_of({"--json"}).format, OutputFormat::ndjson);
}

TEST(CommandLine, TakesEachTierByName) {
  EXPECT_FALSE(options_of({"--probes", "auto"}).tier);
  EXPECT_EQ(options_of({"--probes", "fentry"}).tier, AW_SOURCE_FENTRY);
  EXPECT_EQ(options_of({"--probes", "tracepoint"}).tier, AW_SOURCE_TRACEPOINT);
  EXPECT_EQ(options_of({"--probes", "poll"}).tier, AW_SOURCE_POLL);
}

TEST(CommandLine, TakesEachColour) {
  EXPECT_EQ(options_of({"--color", "auto"}).colour, Colour::automatic);
  EXPECT_EQ(options_of({"--color", "always"}).colour, Colour::always);
}

TEST(CommandLine, Ipv6IsAFamily) { EXPECT_EQ(options_of({"-6"}).family, AF_INET6); }

TEST(CommandLine, RefusesBothFamilies) { expect_wrong({"-4", "-6"}, "--ipv"); }

TEST(CommandLine, RefusesUnknownOptionsAndWords) {
  expect_wrong({"--bogus"}, "--bogus");
  expect_wrong({"-Z"}, "-Z");
  expect_wrong({"bogus"}, "bogus");
  expect_wrong({"-p", "1", "x"}, "x");
}

TEST(CommandLine, RefusesBadValuesByOption) {
  expect_wrong({"-P", "0"}, "--port");
  expect_wrong({"-P", "90-80"}, "--port");
  expect_wrong({"-p", "x"}, "--pid");
  expect_wrong({"-p", "-1"}, "--pid");
  expect_wrong({"-p", "4294967296"}, "--pid");
  expect_wrong({"-e", "bogus"}, "--events");
  expect_wrong({"--netns", "/nonexistent"}, "--netns");
  expect_wrong({"--format", "xml"}, "--format");
  expect_wrong({"--color", "sometimes"}, "--color");
  expect_wrong({"--probes", "xdp"}, "--probes");
}

/// `--port "$PORT"` with PORT unset must not mean: all ports.
TEST(CommandLine, RefusesAnEmptyFilter) {
  expect_wrong({"--port", ""}, "--port");
  expect_wrong({"--events", ""}, "--events");
  expect_wrong({"--netns", ""}, "--netns");
}

TEST(CommandLine, RefusesAnOptionWithoutItsValue) {
  for (const char* option : {"--port", "--pid", "--output", "--duration", "--probes"})
    expect_wrong({option}, option);
}

TEST(CommandLine, TakesOnlyDurationsAboveZero) {
  EXPECT_EQ(options_of({"-d", "0.001"}).duration, 0.001);
  EXPECT_EQ(options_of({"-d", "86400"}).duration, 86400);
  EXPECT_EQ(options_of({"-d", "5s"}).duration, 5);
  EXPECT_EQ(options_of({"-d", "500ms"}).duration, 0.5);
  EXPECT_EQ(options_of({"-d", "5m"}).duration, 300);
  EXPECT_EQ(options_of({"-d", "1h"}).duration, 3600);
  for (const char* text : {"0", "0.0", "-1", "nan", "-nan", "inf", "1e300", "5x", "s", ""})
    expect_wrong({"--duration", text}, "--duration");
}

TEST(CommandLine, TakesOnlyCountsAboveZero) {
  EXPECT_EQ(options_of({"-c", "18446744073709551615"}).count, UINT64_MAX);
  for (const char* text : {"0", "-1", "x", "1.5", "18446744073709551616"})
    expect_wrong({"--count", text}, "--count");
}

TEST(CommandLine, RateIsRecordsASecondOrNone) {
  EXPECT_EQ(options_of({}).rate, 1000U);
  EXPECT_EQ(options_of({"--rate", "0"}).rate, 0U);
  EXPECT_EQ(options_of({"--rate", "1000000000"}).rate, 1000000000U);
  for (const char* text : {"-1", "x", "1.5", "1000000001"})
    expect_wrong({"--rate", text}, "--rate");
}

TEST(CommandLine, PressureIsAShareInPercent) {
  EXPECT_EQ(options_of({}).pressure_percent, 80U);
  EXPECT_EQ(options_of({"--pressure", "100"}).pressure_percent, 100U);
  for (const char* text : {"0", "101", "-1", "x", "1.5"})
    expect_wrong({"--pressure", text}, "--pressure");
}

TEST(CommandLine, StallIsATimeAboveZero) {
  EXPECT_EQ(options_of({}).stall_seconds, 1);
  EXPECT_EQ(options_of({"--stall", "0.2"}).stall_seconds, 0.2);
  for (const char* text : {"0", "-1", "nan", "inf", "x"})
    expect_wrong({"--stall", text}, "--stall");
}

TEST(CommandLine, ExplainWatchesItsPort) {
  const auto options = options_of({"explain", "9799", "-d", "5", "--netns", "4026531840", "-j"});
  EXPECT_EQ(options.command, Command::explain);
  EXPECT_EQ(options.explained, 9799);
  ASSERT_TRUE(options.ports);
  EXPECT_TRUE(options.ports->test(9799));
  EXPECT_EQ(options.ports->count(), 1U);
  EXPECT_EQ(options.duration, 5);
  EXPECT_EQ(options.format, OutputFormat::ndjson);
  EXPECT_EQ(options.filters, (std::vector<std::string>{"port=9799", "netns=4026531840"}));
}

TEST(CommandLine, ExplainTakesOnePortAndNoOtherFilter) {
  expect_wrong({"explain"}, "PORT");
  for (const char* text : {"0", "65536", "no-such-service", "80,81", "-1"})
    expect_wrong({"explain", text}, "");
  expect_wrong({"-P", "81", "explain", "80"}, "one port, not 2");
  expect_wrong({"-4", "explain", "80"}, "ipv4");
}

TEST(CommandLine, AllResetsAreAskedFor) {
  EXPECT_FALSE(options_of({}).all_resets);
  EXPECT_TRUE(options_of({"--all-resets"}).all_resets);
  expect_wrong({"list", "--all-resets"}, "--all-resets");
}

TEST(CommandLine, WhatOwnersCloseAtOnceIsAskedFor) {
  EXPECT_FALSE(options_of({}).after_accept);
  EXPECT_FALSE(options_of({"-e", "listen_drop"}).after_accept);
  EXPECT_TRUE(options_of({"--after-accept"}).after_accept);
  EXPECT_TRUE(options_of({"-e", "listen_drop,closed_after_accept"}).after_accept);
  EXPECT_TRUE(options_of({"explain", "80", "--after-accept"}).after_accept);
  EXPECT_TRUE(options_of({"check", "--after-accept"}).after_accept);
  expect_wrong({"list", "--after-accept"}, "--after-accept");
}

TEST(CommandLine, ReadyFdIsAnOpenDescriptor) {
  const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const auto number = std::to_string(fd);
  EXPECT_EQ(options_of({"--ready-fd", number.c_str()}).ready_fd, fd);
  close(fd);
  expect_wrong({"--ready-fd", number.c_str()}, "--ready-fd");
  expect_wrong({"--ready-fd", "-1"}, "--ready-fd");
  expect_wrong({"--ready-fd", "x"}, "--ready-fd");
}

TEST(CommandLine, CheckHasTheProbeOptions) {
  const auto options = options_of({"check", "-j", "--probes", "kprobe", "--btf", "/tmp/btf", "-v"});
  EXPECT_EQ(options.command, Command::check);
  EXPECT_EQ(options.format, OutputFormat::ndjson);
  EXPECT_EQ(options.tier, AW_SOURCE_KPROBE);
  EXPECT_EQ(options.btf, "/tmp/btf");
  EXPECT_EQ(options.verbosity, 1);
}

TEST(CommandLine, CheckWithoutOptionsIsText) {
  const auto options = options_of({"check"});
  EXPECT_EQ(options.command, Command::check);
  EXPECT_EQ(options.format, OutputFormat::text);
  EXPECT_FALSE(options.tier);
}

TEST(CommandLine, CheckMayFollowItsOptions) {
  const auto options = options_of({"-j", "--probes", "fentry", "check"});
  EXPECT_EQ(options.command, Command::check);
  EXPECT_EQ(options.format, OutputFormat::ndjson);
  EXPECT_EQ(options.tier, AW_SOURCE_FENTRY);
}

TEST(CommandLine, CheckHasNoFilters) {
  expect_wrong({"check", "--port", "80"}, "--port");
  expect_wrong({"check", "--probes", "xdp"}, "--probes");
}

TEST(CommandLine, ListHasTheFiltersOfListeners) {
  const auto options =
      options_of({"list", "-j", "-P", "80", "-p", "12", "--comm", "java", "--cgroup", "/shop",
                  "--netns", "4026531840", "-6", "--wide", "-q", "-v"});
  EXPECT_EQ(options.command, Command::list);
  EXPECT_EQ(options.format, OutputFormat::ndjson);
  ASSERT_TRUE(options.ports);
  EXPECT_TRUE(options.ports->test(80));
  EXPECT_EQ(options.pids, (std::vector<uint32_t>{12}));
  EXPECT_EQ(options.comms, (std::vector<std::string>{"java"}));
  EXPECT_EQ(options.cgroups, (std::vector<std::string>{"/shop"}));
  EXPECT_EQ(options.netns, 4026531840U);
  EXPECT_EQ(options.family, AF_INET6);
  EXPECT_TRUE(options.wide);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(options.verbosity, 1);
}

TEST(CommandLine, ListMayFollowItsOptions) {
  const auto options = options_of({"-P", "80", "--netns", "4026531840", "list"});
  EXPECT_EQ(options.command, Command::list);
  ASSERT_TRUE(options.ports);
  EXPECT_EQ(options.netns, 4026531840U);
}

TEST(CommandLine, ListHasNeitherEventsNorProbes) {
  expect_wrong({"list", "--events", "listen_drop"}, "--events");
  expect_wrong({"list", "--probes", "fentry"}, "--probes");
  expect_wrong({"list", "--port", "x"}, "--port");
  expect_wrong({"list", "-4", "-6"}, "--ipv");
  expect_wrong({"-4", "list", "-6"}, "--ipv");
  expect_wrong({"check", "list"}, "list");
}

TEST(CommandLine, ListMayLookForAWhile) {
  EXPECT_EQ(options_of({"list", "-d", "2.5"}).duration, 2.5);
  expect_wrong({"list", "-d", "0"}, "--duration");
}

TEST(CommandLine, HelpOfListIsItsOwn) {
  const auto text = answer_of({"list", "--help"});
  EXPECT_NE(text.find("Usage: acceptwatch list"), std::string::npos) << text;
  EXPECT_NE(text.find("--port"), std::string::npos);
  EXPECT_EQ(text.find("--probes"), std::string::npos);
}

TEST(CommandLine, HelpIsAnAnswerWithEveryOption) {
  for (const char* option : {"-h", "--help"}) {
    const auto text = answer_of({option});
    for (const char* name :
         {"--port",    "--pid",    "--comm",    "--cgroup", "--netns",    "--ipv4",
          "--ipv6",    "--events", "--json",    "--format", "--output",   "--duration",
          "--count",   "--rate",   "--probes",  "--btf",    "--ready-fd", "--color",
          "--verbose", "--quiet",  "--version", "check",    "list",       "Exit status"})
      EXPECT_NE(text.find(name), std::string::npos) << name;
    EXPECT_TRUE(text.ends_with('\n'));
  }
}

TEST(CommandLine, HelpOfCheckIsItsOwn) {
  const auto text = answer_of({"check", "--help"});
  EXPECT_NE(text.find("--probes"), std::string::npos);
  EXPECT_EQ(text.find("--port"), std::string::npos);
}

TEST(CommandLine, HelpOfCheckShowsHowToCallIt) {
  const auto text = answer_of({"check", "--help"});
  EXPECT_NE(text.find("Usage: acceptwatch check"), std::string::npos) << text;
}

TEST(CommandLine, APortMayStandAlone) {
  for (const auto& arguments : {Arguments{"80"}, Arguments{"list", "80"}, Arguments{"-P", "80"}})
    EXPECT_EQ(options_of(arguments).filters, (std::vector<std::string>{"port=80"}));
  EXPECT_EQ(options_of({"explain", "-P", "80"}).explained, 80);
  EXPECT_EQ(options_of({"-P", "80", "explain"}).explained, 80);
}

TEST(CommandLine, AListMayBeGivenAgain) {
  const auto options = options_of(
      {"-P", "80", "-P", "81,82", "-p", "7", "-p", "8,9", "-e", "listen_drop", "-e", "finding"});
  EXPECT_EQ(options.ports->count(), 3U);
  EXPECT_EQ(options.pids, (std::vector<uint32_t>{7, 8, 9}));
  EXPECT_EQ(options.actions, 1U << AW_LISTEN_DROP | 1U << AW_FINDING);
}

TEST(CommandLine, NamesTheNearestWord) {
  expect_wrong({"explan", "80"}, "`explain`");
  expect_wrong({"explan"}, "`explain`");
  expect_wrong({"tail", "-f"}, "'tail'");
  expect_wrong({"explain", "10.0.0.5:8080"}, "without its address");
  expect_wrong({"chekc"}, "`check`");
  expect_wrong({"--prot", "80"}, "`--port`");
  expect_wrong({"--dur=5"}, "`--duration`");
  expect_wrong({"list", "--comn", "x"}, "`--comm`");
  expect_wrong({"help", "lits"}, "`list`");
}

TEST(CommandLine, AnErrorNamesTheHelpOfItsCommand) {
  const auto of_list = parsed({"list", "--bogus"});
  ASSERT_FALSE(of_list);
  EXPECT_NE(of_list.error().advice.find("acceptwatch list --help"), std::string::npos);
  const auto of_all = parsed({"--bogus"});
  ASSERT_FALSE(of_all);
  EXPECT_NE(of_all.error().advice.find("`acceptwatch --help`"), std::string::npos);
}

TEST(CommandLine, ANameIsNoProcessId) { expect_wrong({"-p", "nginx"}, "--comm"); }

TEST(CommandLine, HelpFitsIntoEightyColumnsAndNamesUnits) {
  for (const auto& arguments :
       {Arguments{"--help"}, Arguments{"explain", "--help"}, Arguments{"list", "--help"},
        Arguments{"check", "--help"}, Arguments{"completion", "--help"}}) {
    const auto text = answer_of(arguments);
    for (const auto line : split(text, '\n'))
      EXPECT_LE(line.size(), 80U) << line;
    for (const char* type : {"TEXT", "FLOAT", "UINT", "INT "})
      EXPECT_EQ(text.find(type), std::string::npos) << type << " in\n" << text;
  }
}

TEST(CommandLine, HelpIsACommandToo) {
  EXPECT_EQ(answer_of({"help"}), answer_of({"--help"}));
  EXPECT_EQ(answer_of({"help", "explain"}), answer_of({"explain", "--help"}));
}

TEST(CommandLine, CompletionsAreMadeOfTheSameOptions) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto text = answer_of({"completion", shell});
    for (const char* word : {"explain", "duration", "ndjson", "listen_drop", "tracepoint"})
      EXPECT_NE(text.find(word), std::string::npos) << shell << ' ' << word;
  }
  expect_wrong({"completion"}, "bash, zsh or fish");
  expect_wrong({"completion", "tcsh"}, "tcsh");
}

TEST(CommandLine, VersionIsAnAnswerOfOneLine) {
  EXPECT_FALSE(version().empty());
  const auto text = answer_of({"--version"});
  EXPECT_EQ(text, build_description() + "\n");
  EXPECT_TRUE(text.starts_with(fmt::format("acceptwatch {} (", version()))) << text;
  EXPECT_NE(text.find("libbpf 1"), std::string::npos) << text;
  EXPECT_EQ(answer_of({"version"}), text);
}

} // namespace
} // namespace acceptwatch
