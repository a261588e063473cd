// SPDX-License-Identifier: Apache-2.0
// A record of the kernel programs, whatever is in it: what is written of it is a line of at most
// 4 KiB without control characters, as text and as JSON.
#include "target.h"

#include "events/decode.h"
#include "output/ndjson.h"
#include "output/text.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace acceptwatch;

namespace {

template <typename T> std::string bytes_of(const T& record) {
  return {reinterpret_cast<const char*>(&record), sizeof(record)};
}

void expect_lines(const std::string& text) {
  size_t length = 0;
  for (const char c : text) {
    length = c == '\n' ? 0 : length + 1;
    const auto byte = static_cast<unsigned char>(c);
    if (length > 4096 || (byte < 0x20 && c != '\n') || byte == 0x7f)
      std::abort();
  }
}

} // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  for (const aw_action action : {AW_LISTEN_DROP, AW_RESET_SENT, AW_LISTENER_CLOSED}) {
    aw_event event{};
    event.header.size = sizeof(event);
    event.header.kind = AW_RECORD_EVENT;
    event.action = static_cast<__u8>(action);
    std::memset(event.comm, 'n', sizeof(event.comm));
    event.flags = UINT8_MAX;
    all.push_back(bytes_of(event));
  }
  aw_process process{};
  process.header.size = sizeof(process);
  process.header.kind = AW_RECORD_PROCESS;
  all.push_back(bytes_of(process));
  return all;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto record = decode({reinterpret_cast<const std::byte*>(data), size});
  const auto* of_event = record ? std::get_if<aw_event>(&*record) : nullptr;
  if (!of_event)
    return 0;
  const Event event = to_event(*of_event, {1'000'000'000, 1, 1},
                               [](aw_reason_space, uint32_t) { return std::nullopt; });
  std::string text;
  TextFormatter{TextStyle{}}.format(event, text);
  NdjsonFormatter{}.format(event, text);
  expect_lines(text);
  return 0;
}
