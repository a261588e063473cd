// SPDX-License-Identifier: Apache-2.0
#include "commands/tape_file.h"

#include "base/file.h"
#include "support/temp_tree.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

class TapeFileTest : public testing::Test {
protected:
  /// Of bytes that compress badly.
  void write_tape(const std::string& name) {
    std::mt19937 random{7}; // NOLINT: the same each time
    for (int i = 0; i < 100'000; ++i)
      bytes.push_back(static_cast<char>(random() & 0xFF));
    auto tape = TapeFile::create(tree.path(name));
    ASSERT_TRUE(tape);
    tape->write("");
    tape->write(std::string_view{bytes}.substr(0, 10));
    tape->write(std::string_view{bytes}.substr(10));
    ASSERT_TRUE(tape->close());
  }

  unit::TempTree tree;
  std::string bytes;
};

TEST_F(TapeFileTest, HasWhatWasWrittenAndOthersMayNotReadIt) {
  umask(0);
  write_tape("tape");
  umask(022);
  EXPECT_TRUE(read_tape_file(tree.path("tape")) == bytes);
  struct stat made {};
  ASSERT_EQ(stat(tree.path("tape").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777, 0640U);
}

TEST_F(TapeFileTest, ReplacesOneThatWasThere) {
  tree.file("tape", std::string(1'000'000, 'x'));
  write_tape("tape");
  EXPECT_TRUE(read_tape_file(tree.path("tape")) == bytes);
}

TEST_F(TapeFileTest, ASymbolicLinkIsNotFollowed) {
  tree.file("target", "kept");
  tree.link("tape", "target");
  const auto tape = TapeFile::create(tree.path("tape"));
  ASSERT_FALSE(tape);
  EXPECT_EQ(tape.error().what,
            "cannot write a tape to " + tree.path("tape") + ": Too many levels of symbolic links");
  EXPECT_EQ(read_file(tree.path("target")), "kept");
}

TEST_F(TapeFileTest, AnotherUsersFileIsNotOverwrittenWhereOthersMayWrite) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only root can give a file away";
  tree.file("tape", "kept");
  ASSERT_EQ(chown(tree.path("tape").c_str(), 65534, 65534), 0);
  ASSERT_EQ(chmod(tree.root().c_str(), 01777), 0);
  EXPECT_FALSE(TapeFile::create(tree.path("tape")));
  EXPECT_EQ(read_file(tree.path("tape")), "kept");
}

TEST_F(TapeFileTest, ADeviceThatIsFullIsSaidAtTheEnd) {
  auto tape = TapeFile::create("/dev/full");
  ASSERT_TRUE(tape);
  std::mt19937 random{7}; // NOLINT: the same each time
  for (int i = 0; i < 100'000; ++i)
    tape->write(std::string(3, static_cast<char>(random() & 0xFF)));
  EXPECT_EQ(tape->close().error().what,
            "the tape /dev/full is not complete: No space left on device");
}

TEST_F(TapeFileTest, AShortTapeThatCannotBeWrittenIsSaidToo) {
  auto tape = TapeFile::create("/dev/full");
  tape->write("short");
  EXPECT_EQ(tape->close().error().what,
            "the tape /dev/full is not complete: No space left on device");
}

TEST_F(TapeFileTest, OneThatIsNotThereIsSaid) {
  EXPECT_EQ(read_tape_file(tree.path("tape")).error().what,
            "cannot read the tape " + tree.path("tape") + ": No such file or directory");
}

TEST_F(TapeFileTest, OfOneThatWasCutOffTheBeginIsRead) {
  write_tape("tape");
  std::filesystem::resize_file(tree.path("tape"), 50'000);
  const auto read = read_tape_file(tree.path("tape"));
  ASSERT_TRUE(read);
  EXPECT_GT(read->size(), 10'000U);
  EXPECT_TRUE(bytes.starts_with(*read));
}

TEST_F(TapeFileTest, OneThatWasChangedIsRefused) {
  write_tape("tape");
  std::string packed = *read_file(tree.path("tape"));
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 1);
  tree.file("changed", packed);
  const auto read = read_tape_file(tree.path("changed"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().what, "the tape " + tree.path("changed") + " is damaged");
}

TEST_F(TapeFileTest, OneThatIsNotPackedIsRead) {
  tree.file("tape", "acceptwatch tape\n");
  EXPECT_EQ(*read_tape_file(tree.path("tape")), "acceptwatch tape\n");
}

} // namespace
} // namespace acceptwatch
