// SPDX-License-Identifier: Apache-2.0
#include "output/audit.h"

#include "support/text_fixture.h"

namespace acceptwatch {
namespace {

using unit::TextTest;

Audit one_namespace(std::vector<AuditedCounter> counters, bool gone = false) {
  Audit audit;
  audit.compared = 1;
  audit.sums = counters;
  audit.namespaces = {{4026531840, gone, std::move(counters)}};
  return audit;
}

const AuditedCounter equal{"ListenOverflows", 12, 12, {}};
const AuditedCounter more{"OutRsts", 9, 2, "resets of other connections are counted, too"};

TEST_F(TextTest, AuditAgreesWhereSomethingWasCompared) {
  EXPECT_EQ(audit_text({}), "Audit: the counters of no network namespace could be read\n");
  auto partly = one_namespace({equal});
  partly.uncompared = 2;
  EXPECT_EQ(audit_text(partly), "Audit: the kernel's counters agree\n"
                                "Audit: the counters of 2 network namespaces could not be "
                                "compared\n");
  EXPECT_EQ(audit_text(one_namespace({equal})), "Audit: the kernel's counters agree\n");
}

TEST_F(TextTest, AuditIsATableWhereSomethingDiffers) {
  EXPECT_EQ(audit_text(one_namespace({equal, more})),
            "Audit of network namespace 4026531840\n"
            "  COUNTER                         KERNEL    EXPLAINED\n"
            "  ListenOverflows                     12           12\n"
            "  OutRsts                              9            2\n"
            "      resets of other connections are counted, too\n");
}

TEST_F(TextTest, AuditDoesNotHideADifferenceWithoutACause) {
  EXPECT_EQ(audit_text(one_namespace({{"ListenDrops", 1, 2, {}}}, true)),
            "Audit of network namespace 4026531840, which is gone, when it was last read\n"
            "  COUNTER                         KERNEL    EXPLAINED\n"
            "  ListenDrops                          1            2\n"
            "      no cause of the difference is known\n");
}

TEST_F(TextTest, AuditCountsTheOtherNamespaces) {
  auto audit = one_namespace({more});
  audit.namespaces.push_back({7, false, {equal}});
  audit.unread = 2;
  const auto text = audit_text(audit);
  EXPECT_NE(text.find("Audit: agrees in 1 network namespace more\n"), std::string::npos) << text;
  EXPECT_NE(text.find("the counters of 2 network namespaces with records could not be read\n"),
            std::string::npos)
      << text;
}

TEST_F(TextTest, AuditWithAFilterIsNone) {
  Audit audit;
  audit.incomparable = {"port=80", "comm=a\x1b"};
  EXPECT_EQ(audit_text(audit),
            "Audit: not possible with port=80 comm=a\\x1b; the kernel's counters "
            "count everything\n");
}

TEST_F(TextTest, AuditIsAtMost80Wide) {
  auto audit = one_namespace({{"TCPReqQFullDoCookies", 1'000'000'000, 1, {}}});
  for (const char* piece : {"listen_drop/request_failed, security_module, no_route, memory, other",
                            "; 123456789 occurrences found no room in the counter map"})
    audit.namespaces[0].counters[0].why += piece;
  EXPECT_LE(width(audit_text(audit)), 80U) << audit_text(audit);
}

TEST_F(TextTest, AuditEndsTheSummary) {
  Snapshot summary;
  summary.audit.emplace().compared = 1;
  EXPECT_TRUE(
      formatted(summary).ends_with("Nothing was lost.\nAudit: the kernel's counters agree\n"));
}

} // namespace
} // namespace acceptwatch
