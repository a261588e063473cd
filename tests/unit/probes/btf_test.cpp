// SPDX-License-Identifier: Apache-2.0
#include "probes/btf.h"

#include "support/temp_tree.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

/// Type information as a kernel has it: a function, a tracepoint, an enum.
class BtfTest : public testing::Test {
protected:
  BtfTest() : types(btf__new_empty()) {
    btf* t = types.get();
    const int number = btf__add_int(t, "int", 4, BTF_INT_SIGNED);
    const int three = prototype(number, 3);
    btf__add_func(t, "tcp_conn_request", BTF_FUNC_STATIC, three);
    btf__add_typedef(t, "btf_trace_tcp_send_reset", btf__add_ptr(t, three));
    btf__add_typedef(t, "btf_trace_empty", btf__add_ptr(t, prototype(number, 0)));
    btf__add_typedef(t, "btf_trace_odd", number);
    btf__add_enum(t, "skb_drop_reason", 4);
    btf__add_enum_value(t, "SKB_NOT_DROPPED_YET", 0);
    btf__add_enum_value(t, "SKB_DROP_REASON_NO_SOCKET", 3);
  }

  int prototype(int type, int arguments) {
    const int id = btf__add_func_proto(types.get(), type);
    for (int i = 0; i < arguments; ++i)
      btf__add_func_param(types.get(), ("argument" + std::to_string(i)).c_str(), type);
    return id;
  }

  Btf types;
};

TEST_F(BtfTest, FunctionHasItsArguments) {
  EXPECT_EQ(function_arguments(*types, "tcp_conn_request"), 3U);
  EXPECT_FALSE(function_arguments(*types, "tcp_v4_send_reset"));
  EXPECT_FALSE(function_arguments(*types, "skb_drop_reason"));
}

TEST_F(BtfTest, TracepointHasItsArgumentsWithoutTheContext) {
  EXPECT_EQ(tracepoint_arguments(*types, "tcp_send_reset"), 2U);
  EXPECT_FALSE(tracepoint_arguments(*types, "kfree_skb"));
}

TEST_F(BtfTest, TracepointsOfAnUnknownShapeHaveNone) {
  EXPECT_FALSE(tracepoint_arguments(*types, "empty"));
  EXPECT_FALSE(tracepoint_arguments(*types, "odd"));
}

TEST_F(BtfTest, EnumeratorsHaveNumbers) {
  EXPECT_EQ(enumerator(*types, "skb_drop_reason", "SKB_DROP_REASON_NO_SOCKET"), 3);
  EXPECT_EQ(enumerator(*types, "skb_drop_reason", "SKB_NOT_DROPPED_YET"), 0);
  EXPECT_FALSE(enumerator(*types, "skb_drop_reason", "SKB_DROP_REASON"));
  EXPECT_FALSE(enumerator(*types, "sk_rst_reason", "SK_RST_REASON_NO_SOCKET"));
}

TEST_F(BtfTest, EnumeratorsHaveNames) {
  EXPECT_EQ(
      enumerators(*types, "skb_drop_reason"),
      (std::map<int, std::string>{{0, "SKB_NOT_DROPPED_YET"}, {3, "SKB_DROP_REASON_NO_SOCKET"}}));
  EXPECT_TRUE(enumerators(*types, "sk_rst_reason").empty());
}

TEST_F(BtfTest, IsReadFromARawFile) {
  const unit::TempTree tree;
  __u32 size = 0;
  const auto* raw = static_cast<const char*>(btf__raw_data(types.get(), &size));
  tree.file("btf", std::string(raw, size));
  const auto loaded = load_btf_file(tree.path("btf"));
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(function_arguments(**loaded, "tcp_conn_request"), 3U);
}

TEST(LoadBtfFile, SaysWhichFileAndWhatIsWanted) {
  libbpf_set_print(nullptr);
  const unit::TempTree tree;
  tree.file("text", "this is not BTF, though it is long enough to hold a header of it");
  for (const char* name : {"text", "missing"}) {
    const auto loaded = load_btf_file(tree.path(name));
    ASSERT_FALSE(loaded) << name;
    EXPECT_EQ(loaded.error().status, ExitStatus::usage);
    EXPECT_NE(loaded.error().what.find(tree.path(name)), std::string::npos);
    EXPECT_NE(loaded.error().advice.find("--btf"), std::string::npos);
  }
}

} // namespace
} // namespace acceptwatch
