// SPDX-License-Identifier: Apache-2.0
//
// usage: programs
// A line for each BPF program that is loaded, separated by tabs: its name (the kernel keeps 15
// characters), its length in instructions, how many instructions the verifier went through to
// accept it (0 before 5.16, which does not say), how often it has run and for how many
// nanoseconds, while kernel.bpf_stats_enabled was 1.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

// bpf_prog_info up to verified_insns; the kernel's header may be older than that.
struct Info {
  bpf_prog_info known;
  uint32_t more[16];
};

long bpf(int command, bpf_attr& attr) { return syscall(SYS_bpf, command, &attr, sizeof(attr)); }

bool print_program(uint32_t id) {
  bpf_attr open{};
  open.prog_id = id;
  const int fd = int(bpf(BPF_PROG_GET_FD_BY_ID, open));
  if (fd < 0)
    return errno == ENOENT; // gone meanwhile
  Info info{};
  bpf_attr ask{};
  ask.info.bpf_fd = uint32_t(fd);
  ask.info.info_len = sizeof(info);
  ask.info.info = reinterpret_cast<uint64_t>(&info);
  const bool known = bpf(BPF_OBJ_GET_INFO_BY_FD, ask) == 0;
  close(fd);
  if (known)
    std::printf("%s\t%zu\t%u\t%llu\t%llu\n", info.known.name,
                info.known.xlated_prog_len / sizeof(bpf_insn), info.known.verified_insns,
                info.known.run_cnt, info.known.run_time_ns);
  return known;
}

} // namespace

int main() {
  bpf_attr attr{};
  while (bpf(BPF_PROG_GET_NEXT_ID, attr) == 0) {
    const uint32_t id = attr.next_id;
    if (!print_program(id)) {
      std::fprintf(stderr, "programs: %s\n", std::strerror(errno));
      return 1;
    }
    attr = {};
    attr.start_id = id;
  }
  if (errno == ENOENT)
    return 0;
  std::fprintf(stderr, "programs: %s\n", std::strerror(errno));
  return 1;
}
