// SPDX-License-Identifier: Apache-2.0
// Each in a process of its own: it is for good.
#include "base/file.h"
#include "host/seal.h"
#include "support/temp_tree.h"

#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

using namespace unit;

class SealTest : public testing::Test {
protected:
  /// Ends with 0 if `holds` is true in a sealed process. Before exit(), and before any function
  /// that does not return, a sanitizer would make calls of its own.
  void end(const std::function<bool()>& holds) const {
    const auto sealed = seal_process(needs);
    syscall(SYS_exit_group, sealed && *sealed && holds() ? 0 : 1);
  }

  static bool is_refused(long result) { return result == -1 && errno == EPERM; }
  static bool refuses_bpf(int command) {
    bpf_attr attributes{};
    return is_refused(syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
  }

  const testing::ExitedWithCode well{0};
  const std::string one_call = "^acceptwatch: the system call [0-9]+ is not one that a sealed run "
                               "makes, and was refused. Please report it.\n$";
  SealNeeds needs;
  TempTree tree;
};

TEST_F(SealTest, WhatIsNotOnTheListFailsAndIsSaidOnce) {
  EXPECT_EXIT(end([] { return is_refused(chroot("/")) && is_refused(chroot("/")); }), well,
              one_call);
}

TEST_F(SealTest, NoProgramIsExecutedAndNoProcessMade) {
  EXPECT_EXIT(end([] {
                char name[] = "/bin/true";
                char* const arguments[] = {name, nullptr};
                return is_refused(execv(name, arguments)) &&
                       is_refused(syscall(SYS_clone, 17, 0, 0, 0, 0));
              }),
              well, "refused");
}

TEST_F(SealTest, FilesAreReadEverywhereAndWrittenInOneDirectory) {
  tree.directory("logs");
  const UniqueFd logs{open(tree.path("logs").c_str(), O_PATH | O_DIRECTORY)};
  needs.directories = {logs.get()};
  EXPECT_EXIT(end([&] {
                return UniqueFd{open("/proc/self/status", O_RDONLY)} &&
                       UniqueFd{openat(logs.get(), "log", O_WRONLY | O_CREAT, 0600)} &&
                       is_refused(open(tree.path("logs/log").c_str(), O_WRONLY)) &&
                       is_refused(open(tree.path("new").c_str(), O_RDONLY | O_CREAT, 0600));
              }),
              well, one_call);
}

TEST_F(SealTest, MapsAreReadAndNoProgramIsLoaded) {
  EXPECT_EXIT(end([] {
                bpf_attr attributes{};
                attributes.map_fd = static_cast<uint32_t>(-1);
                syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attributes, sizeof(attributes));
                return refuses_bpf(BPF_PROG_LOAD);
              }),
              well, one_call); // of the latter alone
}

TEST_F(SealTest, PollingTalksToNetlinkAndLoadsNothing) {
  needs = {.bpf = false, .sock_diag = true, .directories = {}};
  EXPECT_EXIT(end([] {
                return UniqueFd{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 4)} &&
                       is_refused(socket(AF_INET, SOCK_STREAM, 0)) &&
                       refuses_bpf(BPF_MAP_LOOKUP_ELEM);
              }),
              well, "refused");
}

TEST_F(SealTest, NoMemoryIsMadeExecutable) {
  EXPECT_EXIT(end([] {
                void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                return page != MAP_FAILED &&
                       is_refused(mprotect(page, 4096, PROT_READ | PROT_EXEC));
              }),
              well, one_call);
}

TEST_F(SealTest, LeavesNoCoreAndGainsNothingByExec) {
  EXPECT_EXIT(end([] {
                const auto status = read_file("/proc/self/status").value_or("");
                rlimit core{1, 1};
                return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 &&
                       status.find("NoNewPrivs:\t1\n") != std::string::npos &&
                       status.find("Seccomp:\t2\n") != std::string::npos;
              }),
              well, "^$");
}

} // namespace
} // namespace acceptwatch
