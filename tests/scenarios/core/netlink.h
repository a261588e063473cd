// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "core/unique_fd.h"

namespace acceptwatch::scenarios {

// Messages, written attribute by attribute, and sent as one.
class NetlinkBatch {
public:
  using Content = std::function<void()>;

  // `head` is what the family has between the netlink header and the attributes.
  template <typename Head>
  void message(uint16_t type, uint16_t flags, const Head& head, const Content& content) {
    const size_t begin = bytes_.size();
    append(nlmsghdr{});
    append(head);
    content();
    const nlmsghdr header{static_cast<uint32_t>(bytes_.size() - begin), type,
                          static_cast<uint16_t>(flags | NLM_F_REQUEST), ++sequence_, 0};
    std::memcpy(bytes_.data() + begin, &header, sizeof(header));
  }

  void nested(uint16_t type, const Content& content) {
    const size_t begin = bytes_.size();
    append(nlattr{0, static_cast<uint16_t>(type | NLA_F_NESTED)});
    content();
    const auto length = static_cast<uint16_t>(bytes_.size() - begin);
    std::memcpy(bytes_.data() + begin, &length, sizeof(length));
  }

  // Another head before the attributes within.
  template <typename Head>
  void nested_after(uint16_t type, const Head& head, const Content& content) {
    nested(type, [&] {
      append(head);
      content();
    });
  }

  void raw(uint16_t type, const void* data, size_t size) {
    append(nlattr{static_cast<uint16_t>(sizeof(nlattr) + size), type});
    const auto* bytes = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    bytes_.resize((bytes_.size() + NLA_ALIGNTO - 1) / NLA_ALIGNTO * NLA_ALIGNTO);
  }

  // In this machine's order of bytes.
  template <typename Number> void number(uint16_t type, Number value) {
    raw(type, &value, sizeof(value));
  }

  void big_endian(uint16_t type, uint32_t value) { number(type, htonl(value)); }

  void text(uint16_t type, const char* value) { raw(type, value, std::strlen(value) + 1); }

  const std::vector<uint8_t>& bytes() const { return bytes_; }

private:
  template <typename Header> void append(const Header& header) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&header);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof(header));
  }

  std::vector<uint8_t> bytes_;
  uint32_t sequence_ = 0;
};

// One exchange with a part of the kernel, which `name` is for people.
class Netlink {
public:
  // Skips the scenario where this kernel has no such protocol.
  Netlink(int protocol, const char* name);

  void send(const NetlinkBatch& batch) const;
  // All messages of the next answer.
  using Reader = std::function<void(const nlmsghdr& message)>;
  void read(const Reader& reader) const;
  // Has a command carried out: the first error of the answer, 0 when it is an acknowledgement.
  int execute(const NetlinkBatch& command) const;

private:
  const char* name_;
  UniqueFd fd_;
};

} // namespace acceptwatch::scenarios
