// SPDX-License-Identifier: Apache-2.0
// A command line: words that end with a 0 each. What is wrong has a sentence.
#include "target.h"

#include "cli/parse.h"

#include <cstdlib>

using namespace acceptwatch;

namespace {

std::string words(std::initializer_list<const char*> all) {
  std::string text;
  for (const char* word : all)
    text.append(word).push_back('\0');
  return text;
}

} // namespace

std::vector<std::string> seeds() {
  return {words({"-P", "80,8000-8010", "--comm", "nginx", "-j", "-d", "5m"}),
          words({"explain", "http", "--netns", "4026531840", "--look-budget", "10"}),
          words({"list", "--cgroup", "/system.slice", "-v"}),
          words({"--events", "listen_drop,reset_sent", "--rate", "10", "--interval", "500ms"}),
          words({"check", "--btf", "/dev/null", "-j"}),
          words({"help", "explain"}),
          words({"completion", "bash"})};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text{reinterpret_cast<const char*>(data), size};
  text.push_back('\0');
  std::vector<const char*> arguments{"acceptwatch"};
  for (size_t at = 0; at < text.size() && arguments.size() < 40; at = text.find('\0', at) + 1) {
    // A file or a namespace may be named, and is not to be opened here.
    if (text.find('/', at) >= text.find('\0', at) &&
        !std::string_view{&text[at]}.starts_with("--c"))
      arguments.push_back(&text[at]);
  }
  const auto parsed = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
  if (!parsed && parsed.error().what.empty())
    std::abort();
  return 0;
}
