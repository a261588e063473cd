// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace acceptwatch::scenarios {

// Both ends included.
struct Range {
  int64_t low = 0;
  int64_t high = 0;

  static Range exactly(int64_t value) { return {value, value}; }
  bool holds(int64_t value) const { return low <= value && value <= high; }
  bool operator==(const Range&) const = default;
  std::string text() const;
};

// Who must be named in `process`.
struct Owner {
  static constexpr int64_t any_number = 0;

  int64_t pid = 0;
  std::string name;
  int64_t owners = 1;

  bool operator==(const Owner&) const = default;
};

// Records that a scenario must cause: what is left unset is not checked.
struct Expectation {
  std::string action;
  std::string reason;
  std::string stage;
  std::string network_type;
  std::string server_address;
  std::string client_address;
  uint16_t server_port = 0;
  uint64_t count = 0;                   // where there are no clients
  std::map<uint16_t, uint64_t> clients; // port → how often; `count` is their sum then
  bool folds = false;                   // lines stand for several clients, and name one of them
  std::optional<Owner> owner;
  bool no_owner = false; // `process` must be absent
  std::optional<Range> accept_depth;
  std::optional<Range> accept_limit;
  std::optional<Range> syn_depth;
  std::optional<Range> syn_limit;
  std::optional<Range> retry;
  std::optional<Range> nat_port; // where the packet is translated to
  std::string netfilter_hook;
  std::string netfilter_table; // of nf_tables
  std::string netfilter_chain;
  std::string end;             // of listener_closed: its reason
  std::string kernel_function; // in which most of the owner's threads must be
  // A counter that each occurrence moves though action, reason and stage do not say so.
  std::string also;

  uint64_t total() const;
  // Takes the occurrences of `more` over when it differs in nothing but those; false when it
  // differs.
  bool absorb(const Expectation& more);
  std::string text() const;
};

// {port, 1} for each of them.
std::map<uint16_t, uint64_t> once_each(const std::vector<uint16_t>& ports);

// What the expected records say of each kernel counter. Those of both lists are compared with the
// kernel's own; acceptwatch does so itself with the first.
std::map<std::string, int64_t> explained_counters(const std::vector<Expectation>& expectations);
extern const std::vector<std::string> audited_counters;
extern const std::vector<std::string> other_counters;

} // namespace acceptwatch::scenarios
