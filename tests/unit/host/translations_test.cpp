// SPDX-License-Identifier: Apache-2.0
#include "host/translations.h"

#include "support/records.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

namespace acceptwatch {
namespace {

using unit::an_address;

std::string bytes_of(const void* data, size_t size) {
  return {static_cast<const char*>(data), size};
}

std::string attribute(uint16_t type, std::string content) {
  const nlattr head{static_cast<uint16_t>(sizeof(nlattr) + content.size()), type};
  content.resize((content.size() + 3) / 4 * 4);
  return bytes_of(&head, sizeof(head)) + content;
}

std::string end(uint16_t address_type, const char* text, uint16_t port_type, uint16_t port,
                char protocol = IPPROTO_TCP) {
  const Address address = an_address(text);
  const uint16_t number = htons(port);
  const size_t size = address.family == AF_INET ? 4 : 16;
  return attribute(CTA_TUPLE_IP, attribute(address_type, bytes_of(address.bytes.data(), size))) +
         attribute(CTA_TUPLE_PROTO, attribute(CTA_PROTO_NUM, {protocol}) +
                                        attribute(port_type, bytes_of(&number, sizeof(number))));
}

std::string message(const std::string& sent, const std::string& answered) {
  return std::string(sizeof(nlmsghdr) + sizeof(nfgenmsg), '\0') +
         attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, sent) +
         attribute(CTA_TUPLE_REPLY | NLA_F_NESTED, answered);
}

TEST(TranslationIn, IsFromTheClientsDestinationToWhoAnswers) {
  const auto found =
      translation_in(message(end(CTA_IP_V4_DST, "10.9.0.1", CTA_PROTO_DST_PORT, 8080),
                             end(CTA_IP_V4_SRC, "10.88.0.5", CTA_PROTO_SRC_PORT, 80)));
  const Translation expected{an_address("10.9.0.1"), 8080, {an_address("10.88.0.5"), 80}};
  EXPECT_EQ(found, expected);
}

TEST(TranslationIn, HasAddressesOfIPv6) {
  const auto found = translation_in(message(end(CTA_IP_V6_DST, "fd00::1", CTA_PROTO_DST_PORT, 8080),
                                            end(CTA_IP_V6_SRC, "fd00::1", CTA_PROTO_SRC_PORT, 80)));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->own.address, an_address("fd00::1"));
}

TEST(TranslationIn, IsNoneWhereTheClientIsAnsweredByWhomItSentTo) {
  EXPECT_FALSE(translation_in(message(end(CTA_IP_V4_DST, "10.9.0.1", CTA_PROTO_DST_PORT, 80),
                                      end(CTA_IP_V4_SRC, "10.9.0.1", CTA_PROTO_SRC_PORT, 80))));
}

TEST(TranslationIn, IsOfTcpAlone) {
  EXPECT_FALSE(translation_in(
      message(end(CTA_IP_V4_DST, "10.9.0.1", CTA_PROTO_DST_PORT, 8080, IPPROTO_UDP),
              end(CTA_IP_V4_SRC, "10.88.0.5", CTA_PROTO_SRC_PORT, 80, IPPROTO_UDP))));
}

TEST(TranslationIn, OfAMessageThatIsCutThereIsNone) {
  const std::string whole = message(end(CTA_IP_V4_DST, "10.9.0.1", CTA_PROTO_DST_PORT, 8080),
                                    end(CTA_IP_V4_SRC, "10.88.0.5", CTA_PROTO_SRC_PORT, 80));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(translation_in(std::string_view{whole}.substr(0, size)));
}

} // namespace
} // namespace acceptwatch
