// SPDX-License-Identifier: Apache-2.0
#include "kernel/type_check.h"

#include "probes/load_btf.h"

#include "support/temp_tree.h"

#include <bpf/btf.h>
#include <cstring>
#include <gtest/gtest.h>

namespace acceptwatch {
namespace {

using Built = std::unique_ptr<btf, decltype([](btf* types) { btf__free(types); })>;

class TypeCheckTest : public testing::Test {
protected:
  std::vector<std::byte> bytes() const {
    __u32 size = 0;
    const auto* raw = static_cast<const std::byte*>(btf__raw_data(built.get(), &size));
    return {raw, raw + size};
  }

  bool sound() const {
    const auto held = bytes();
    const auto types =
        TypeInfo::parse(std::make_shared<std::span<const std::byte>>(held.data(), held.size()));
    return types && is_sound(*types);
  }

  /// `count` typedefs, each of the one before.
  int chain(int of, int count) const {
    for (int i = 0; i < count; ++i)
      of = btf__add_typedef(built.get(), "name", of);
    return of;
  }

  Built built{btf__new_empty()};
  btf* t = built.get();
  int number = btf__add_int(t, "int", 4, BTF_INT_SIGNED);
};

TEST_F(TypeCheckTest, ListsAndTreesAreSound) {
  // typedef struct node { struct node *next; node_t *(*children)[3]; } node_t;
  const int node = number + 1;
  const int node_type = node + 1;
  ASSERT_EQ(btf__add_struct(t, "node", 16), node);
  btf__add_field(t, "next", node_type + 1, 0, 0);
  btf__add_field(t, "children", node_type + 3, 64, 0);
  ASSERT_EQ(btf__add_typedef(t, "node_t", node), node_type);
  btf__add_ptr(t, node_type);
  btf__add_array(t, number, node_type + 1, 3);
  btf__add_ptr(t, node_type + 2);
  EXPECT_TRUE(sound());
}

TEST_F(TypeCheckTest, ATypedefOfItselfIsNot) {
  btf__add_typedef(t, "endless", number + 1);
  EXPECT_FALSE(sound());
}

TEST_F(TypeCheckTest, APointerThatLeadsBackToItselfIsNot) {
  btf__add_const(t, number + 2);
  btf__add_ptr(t, number + 1);
  EXPECT_FALSE(sound());
}

TEST_F(TypeCheckTest, AStructThatContainsItselfIsNot) {
  btf__add_struct(t, "outer", 4);
  btf__add_field(t, "", number + 2, 0, 0);
  btf__add_array(t, number, number + 1, 1);
  EXPECT_FALSE(sound());
}

TEST_F(TypeCheckTest, ATypeThatIsNotThereIsNot) {
  btf__add_ptr(t, number + 7);
  EXPECT_FALSE(sound());
}

TEST_F(TypeCheckTest, AChainWithoutEndIsNot) {
  const int last = chain(number, 65);
  EXPECT_TRUE(sound());
  chain(last, 1);
  EXPECT_FALSE(sound());
}

TEST_F(TypeCheckTest, ThisKernelsOwnAreSound) {
  const auto own = load_kernel_btf();
  ASSERT_TRUE(own) << own.error().what;
  if (!*own)
    GTEST_SKIP() << "this kernel carries no type information";
  EXPECT_TRUE(is_sound(**own));
}

TEST_F(TypeCheckTest, AFileThatIsNotSoundIsRefused) {
  btf__add_typedef(t, "endless", number + 1);
  const unit::TempTree tree;
  const auto held = bytes();
  tree.file("types", {reinterpret_cast<const char*>(held.data()), held.size()});
  const auto loaded = load_btf_file(tree.path("types"));
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().what.find("cannot read type information from"), std::string::npos);
}

} // namespace
} // namespace acceptwatch
