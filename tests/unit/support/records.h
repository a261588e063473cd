// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <string_view>

namespace acceptwatch::unit {

inline void set_comm(__u8 (&comm)[AW_COMM_LEN], std::string_view name) {
  std::fill(std::begin(comm), std::end(comm), __u8{0});
  std::copy_n(name.begin(), std::min<size_t>(name.size(), AW_COMM_LEN), std::begin(comm));
}

inline void set_address(__u8 (&bytes)[AW_ADDRESS_LEN], const char* text) {
  inet_pton(std::strchr(text, ':') ? AF_INET6 : AF_INET, text, bytes);
}

inline Address an_address(const char* text) {
  Address address;
  address.family = std::strchr(text, ':') ? AF_INET6 : AF_INET;
  inet_pton(address.family, text, address.bytes.data());
  return address;
}

inline aw_event an_event(aw_action action = AW_LISTEN_DROP) {
  aw_event event{};
  event.header.size = sizeof(event);
  event.header.kind = AW_RECORD_EVENT;
  event.header.source = AW_SOURCE_FENTRY;
  event.action = static_cast<__u8>(action);
  return event;
}

inline aw_event closed_record(uint64_t id, uint64_t at_ns) {
  aw_event event = an_event(AW_LISTENER_CLOSED);
  event.header.boot_ns = at_ns;
  event.listener.id = id;
  return event;
}

/// 2026-11-22T12:17:03.120345678Z
inline constexpr Timestamp contract_time = 1'795'349'823'120'345'678;

/// The record that the interface contract shows.
inline Event contract_event() {
  Event event;
  event.time = contract_time;
  event.action = AW_LISTEN_DROP;
  event.reason = AW_ACCEPT_QUEUE_FULL;
  event.stage = AW_STAGE_ACK;
  event.source = AW_SOURCE_FENTRY;
  event.listener = 12345;
  event.server_address = an_address("10.0.0.5");
  event.server_port = 9799;
  event.client_address = an_address("10.0.0.9");
  event.client_port = 51812;
  event.family = AF_INET;
  event.accept_queue = Queue{11, 10};
  event.syn_queue = Queue{3, 10};
  event.netns = 4026531840;
  event.socket = 8231;
  event.kernel_reason = "TCP_LISTEN_OVERFLOW";
  event.owner = Owner{4711, "java", "/system.slice/shop.service"};
  event.owners = 1;
  return event;
}

} // namespace acceptwatch::unit
