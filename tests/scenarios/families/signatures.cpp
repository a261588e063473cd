// SPDX-License-Identifier: Apache-2.0
#include "families/signatures.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/error.h"

namespace acceptwatch::scenarios {

namespace {

// No key: signatures are no longer asked for.
void set_key(const Listener& listener, const std::string& client, const std::string& key) {
  tcp_md5sig wanted{};
  sockaddr_storage address;
  to_sockaddr(client, 0, address);
  std::memcpy(&wanted.tcpm_addr, &address, sizeof(address));
  wanted.tcpm_keylen = static_cast<uint16_t>(key.size());
  key.copy(reinterpret_cast<char*>(wanted.tcpm_key), sizeof(wanted.tcpm_key));
  const int result = ::setsockopt(listener.fd(), IPPROTO_TCP, TCP_MD5SIG, &wanted, sizeof(wanted));
  if (result != 0 && errno == ENOPROTOOPT) {
    throw Skip("this kernel has no TCP_MD5SIG");
  }
  must(result, "TCP_MD5SIG");
}

// struct tcp_ao_add of linux/tcp.h since 6.7.
struct alignas(8) AuthenticationKey {
  sockaddr_storage client;
  char algorithm[64];
  int32_t device;
  uint32_t flags;
  uint16_t reserved;
  uint8_t prefix;
  uint8_t sent_id;
  uint8_t received_id;
  uint8_t mac_length;
  uint8_t key_flags;
  uint8_t key_length;
  uint8_t key[80];
};
static_assert(sizeof(AuthenticationKey) == 288);

constexpr int add_authentication_key = 38; // TCP_AO_ADD_KEY
constexpr uint8_t mac_length = 12;

} // namespace

void want_signatures(const Listener& listener, const std::string& client) {
  set_key(listener, client, "key");
}

void want_no_signatures(const Listener& listener, const std::string& client) {
  set_key(listener, client, "");
}

void want_authentication(const Listener& listener, const std::string& client, uint8_t key) {
  constexpr std::string_view algorithm = "hmac(sha1)";
  constexpr std::string_view secret = "secret";
  AuthenticationKey wanted{};
  to_sockaddr(client, 0, wanted.client);
  algorithm.copy(wanted.algorithm, sizeof(wanted.algorithm) - 1);
  wanted.prefix = 32;
  wanted.sent_id = key;
  wanted.received_id = key;
  wanted.mac_length = mac_length;
  wanted.key_length = static_cast<uint8_t>(secret.size());
  secret.copy(reinterpret_cast<char*>(wanted.key), sizeof(wanted.key));
  const int result =
      ::setsockopt(listener.fd(), IPPROTO_TCP, add_authentication_key, &wanted, sizeof(wanted));
  if (result != 0 && errno == ENOPROTOOPT) {
    throw Skip("this kernel has no TCP-AO");
  }
  must(result, "TCP_AO_ADD_KEY");
}

std::vector<uint8_t> wrong_authentication(uint8_t key) {
  constexpr uint8_t kind = 29;
  std::vector<uint8_t> option(4 + mac_length);
  option[0] = kind;
  option[1] = static_cast<uint8_t>(option.size());
  option[2] = key;
  option[3] = key;
  return option;
}

} // namespace acceptwatch::scenarios
