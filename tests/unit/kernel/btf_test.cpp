// SPDX-License-Identifier: Apache-2.0
#include "kernel/btf.h"

#include "probes/load_btf.h"

#include "support/temp_tree.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using Arguments = std::map<std::string, unsigned>;
using Named = std::pair<const char*, __u32>;
using Built = std::unique_ptr<btf, decltype([](btf* types) { btf__free(types); })>;

/// Type information as a kernel has it: a function, a tracepoint, an enum.
class BtfTest : public testing::Test {
protected:
  BtfTest() {
    btf* t = built.get();
    const int number = btf__add_int(t, "int", 4, BTF_INT_SIGNED);
    const int three = prototype(number, 3);
    btf__add_func(t, "tcp_conn_request", BTF_FUNC_STATIC, three);
    btf__add_typedef(t, "btf_trace_tcp_send_reset", btf__add_ptr(t, three));
    btf__add_typedef(t, "btf_trace_empty", btf__add_ptr(t, prototype(number, 0)));
    btf__add_typedef(t, "btf_trace_odd", number);
    btf__add_enum(t, "skb_drop_reason", 4);
    btf__add_enum_value(t, "SKB_NOT_DROPPED_YET", 0);
    btf__add_enum_value(t, "SKB_DROP_REASON_NO_SOCKET", 3);
    types = TypeInfo::parse(raw());
  }

  TypeInfo::Bytes raw() const {
    __u32 size = 0;
    const auto* bytes = static_cast<const std::byte*>(btf__raw_data(built.get(), &size));
    return std::make_shared<std::span<const std::byte>>(bytes, size);
  }

  int prototype(int type, int arguments) {
    const int id = btf__add_func_proto(built.get(), type);
    for (int i = 0; i < arguments; ++i)
      btf__add_func_param(built.get(), ("argument" + std::to_string(i)).c_str(), type);
    return id;
  }

  Built built{btf__new_empty()};
  std::optional<TypeInfo> types;
};

TEST_F(BtfTest, FunctionHasItsArguments) {
  EXPECT_EQ(function_arguments(*types, "tcp_conn_request"), 3U);
  EXPECT_FALSE(function_arguments(*types, "tcp_v4_send_reset"));
  EXPECT_FALSE(function_arguments(*types, "skb_drop_reason"));
  EXPECT_EQ(
      function_arguments(*types, std::vector<std::string>{"tcp_v4_send_reset", "tcp_conn_request"}),
      (Arguments{{"tcp_conn_request", 3}}));
}

TEST_F(BtfTest, TracepointHasItsArgumentsWithoutTheContext) {
  EXPECT_EQ(tracepoint_arguments(*types, {"kfree_skb", "tcp_send_reset"}),
            (Arguments{{"tcp_send_reset", 2}}));
}

TEST_F(BtfTest, TracepointsOfAnUnknownShapeHaveNone) {
  EXPECT_EQ(tracepoint_arguments(*types, {"empty", "odd"}), Arguments{});
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

/// Its names and numbers go on where the kernel's end, and refer to the kernel's as well.
TEST_F(BtfTest, OfAModuleGoesOnWhereTheKernelsEnds) {
  const Built module{btf__new_empty_split(built.get())};
  btf* m = module.get();
  const int number = btf__find_by_name_kind(built.get(), "int", BTF_KIND_INT);
  btf__add_struct(m, "nft_chain", 24);
  btf__add_field(m, "argument0", number, 64, 0); // a name that the kernel has
  btf__add_field(m, "handle", number, 128, 0);
  const int two = btf__add_func_proto(m, number);
  btf__add_func_param(m, "pkt", number);
  btf__add_func_param(m, "priv", number);
  const int function = btf__add_func(m, "nft_do_chain", BTF_FUNC_STATIC, two);
  __u32 size = 0;
  const auto* bytes = static_cast<const std::byte*>(btf__raw_data(m, &size));
  types = TypeInfo::parse(raw());
  const auto both =
      TypeInfo::parse(std::make_shared<std::span<const std::byte>>(bytes, size), *types);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->first(), types->count() + 1);
  EXPECT_EQ(both->find("nft_do_chain", BTF_KIND_FUNC), static_cast<uint32_t>(function));
  EXPECT_EQ(function_arguments(*both, "nft_do_chain"), 2U);
  EXPECT_EQ(member_offset(*both, "nft_chain", "argument0"), 8);
  EXPECT_EQ(member_offset(*both, "nft_chain", "handle"), 16);
  EXPECT_FALSE(member_offset(*both, "nft_chain", "name"));
  EXPECT_FALSE(both->find("tcp_conn_request", BTF_KIND_FUNC)) << "that is the kernel's";
}

/// libbpf reads what is left, and finds it under the numbers that the kernel knows.
TEST_F(BtfTest, ReducedKeepsWhatIsNamedWithItsNumber) {
  const auto bytes = types->reduced_to({"skb_drop_reason___5_17", "btf_trace_tcp_send_reset"});
  const Built reduced{btf__new(bytes.data(), static_cast<__u32>(bytes.size()))};
  ASSERT_TRUE(reduced);
  EXPECT_EQ(btf__type_cnt(reduced.get()), btf__type_cnt(built.get()));
  for (const auto& [name, kind] : {Named{"skb_drop_reason", BTF_KIND_ENUM},
                                   Named{"btf_trace_tcp_send_reset", BTF_KIND_TYPEDEF}})
    EXPECT_EQ(btf__find_by_name_kind(reduced.get(), name, kind),
              btf__find_by_name_kind(built.get(), name, kind));
  for (const auto& [name, kind] :
       {Named{"tcp_conn_request", BTF_KIND_FUNC}, Named{"btf_trace_empty", BTF_KIND_TYPEDEF}})
    EXPECT_EQ(btf__find_by_name_kind(reduced.get(), name, kind), -ENOENT);
  const auto again = TypeInfo::parse(std::make_shared<std::span<const std::byte>>(bytes));
  ASSERT_TRUE(again);
  EXPECT_EQ(tracepoint_arguments(*again, {"tcp_send_reset", "empty"}),
            (Arguments{{"tcp_send_reset", 2}}));
  EXPECT_EQ(enumerator(*again, "skb_drop_reason", "SKB_DROP_REASON_NO_SOCKET"), 3);
}

/// What is inside of a structure is relocated with it; what it points to, by its own name.
TEST_F(BtfTest, ReducedKeepsWhatAStructureIsMadeOf) {
  btf* t = built.get();
  const int number = btf__find_by_name_kind(t, "int", BTF_KIND_INT);
  const int inner = btf__add_struct(t, "inner", 4);
  btf__add_field(t, "depth", number, 0, 0);
  const int pointed = btf__add_struct(t, "pointed", 4);
  btf__add_field(t, "other", number, 0, 0);
  const int pointer = btf__add_ptr(t, pointed);
  const int array = btf__add_array(t, number, inner, 2);
  const int outer = btf__add_struct(t, "outer", 24);
  btf__add_field(t, "array", array, 0, 0);
  btf__add_field(t, "pointer", pointer, 64, 0);
  types = TypeInfo::parse(raw());
  const auto bytes = types->reduced_to({"outer"});
  const auto reduced = TypeInfo::parse(std::make_shared<std::span<const std::byte>>(bytes));
  ASSERT_TRUE(reduced);
  EXPECT_EQ(reduced->find("outer", BTF_KIND_STRUCT), static_cast<uint32_t>(outer));
  EXPECT_EQ(reduced->find("inner", BTF_KIND_STRUCT), static_cast<uint32_t>(inner));
  EXPECT_FALSE(reduced->find("pointed", BTF_KIND_STRUCT));
  const auto members =
      reduced->entries<btf_member>(reduced->type(*reduced->find("outer", BTF_KIND_STRUCT)));
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(reduced->name(members[0].name_off), "array");
  EXPECT_EQ(members[1].type, static_cast<uint32_t>(pointer));
}

/// Cut anywhere, it is refused or read within its bounds.
TEST_F(BtfTest, OfBrokenBytesIsNone) {
  const auto whole = *raw();
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(TypeInfo::parse(std::make_shared<std::span<const std::byte>>(whole.first(length))))
        << length;
  std::vector<std::byte> odd{whole.begin(), whole.end()};
  odd[sizeof(btf_header) + 7] = std::byte{0x1F}; // the first type's kind: none
  EXPECT_FALSE(TypeInfo::parse(std::make_shared<std::span<const std::byte>>(odd)));
}

TEST_F(BtfTest, IsReadFromARawFile) {
  const unit::TempTree tree;
  tree.file("btf", std::string(reinterpret_cast<const char*>(raw()->data()), raw()->size()));
  const auto loaded = load_btf_file(tree.path("btf"));
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(function_arguments(*loaded, "tcp_conn_request"), 3U);
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
