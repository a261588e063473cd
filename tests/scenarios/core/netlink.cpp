// SPDX-License-Identifier: Apache-2.0
#include "core/netlink.h"

#include <sys/socket.h>

#include <array>
#include <optional>

#include "core/error.h"
#include "core/wait.h"

namespace acceptwatch::scenarios {

Netlink::Netlink(int protocol, const char* name) : name_(name) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0 && errno == EPROTONOSUPPORT) {
    throw Skip(cat("no ", name_, " on this kernel"));
  }
  fd_ = UniqueFd(must(fd, "a netlink socket"));
}

void Netlink::send(const NetlinkBatch& batch) const {
  must(::send(fd_.get(), batch.bytes().data(), batch.bytes().size(), 0),
       cat("a message for ", name_));
}

void Netlink::read(const Reader& reader) const {
  alignas(nlmsghdr) std::array<char, 16384> buffer;
  if (!readable(fd_.get(), patience)) {
    throw Failure(cat(name_, " does not answer"));
  }
  const auto size =
      must(::recv(fd_.get(), buffer.data(), buffer.size(), 0), cat("the answer of ", name_));
  auto left = static_cast<unsigned>(size);
  for (auto* header = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(header, left);
       header = NLMSG_NEXT(header, left)) {
    reader(*header);
  }
}

int Netlink::execute(const NetlinkBatch& command) const {
  send(command);
  std::optional<int> first;
  read([&](const nlmsghdr& message) {
    if (message.nlmsg_type == NLMSG_ERROR && !first) {
      first = -reinterpret_cast<const nlmsgerr*>(&message + 1)->error;
    }
  });
  if (!first) {
    throw Failure(cat(name_, " answers something else"));
  }
  return *first;
}

} // namespace acceptwatch::scenarios
