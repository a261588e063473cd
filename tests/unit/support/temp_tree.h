// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace acceptwatch::unit {

/// A directory that is gone with the test; /proc is imitated in it.
class TempTree {
public:
  TempTree() {
    std::string name = std::filesystem::temp_directory_path() / "acceptwatch-unit-XXXXXX";
    if (!mkdtemp(name.data()))
      throw std::runtime_error("cannot make " + name);
    root_ = name;
  }
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;
  ~TempTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  [[nodiscard]] std::string root() const { return root_; }
  [[nodiscard]] std::string path(const std::string& name) const { return root_ / name; }

  void file(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream{root_ / name, std::ios::binary} << content;
  }

  /// The target need not exist: "socket:[4711]".
  void link(const std::string& name, const std::string& target) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::filesystem::create_symlink(target, root_ / name);
  }

  /// The same file once more.
  void hard_link(const std::string& target, const std::string& name) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::filesystem::create_hard_link(root_ / target, root_ / name);
  }

  void directory(const std::string& name) const {
    std::filesystem::create_directories(root_ / name);
  }

private:
  std::filesystem::path root_;
};

} // namespace acceptwatch::unit
