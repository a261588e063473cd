// SPDX-License-Identifier: Apache-2.0
#include "probes/attempts.h"

#include "base/file.h"
#include "base/text.h"

#include <array>
#include <bpf/bpf.h>
#include <cerrno>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <span>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace acceptwatch {
namespace {

constexpr const char* probed_function = "tcp_conn_request";

constexpr bpf_insn instruction(__u8 code, __u8 dst, __u8 src, __s16 off, __s32 imm) {
  bpf_insn insn{};
  insn.code = code;
  insn.dst_reg = dst & 0xF;
  insn.src_reg = src & 0xF;
  insn.off = off;
  insn.imm = imm;
  return insn;
}

constexpr bpf_insn set(__u8 reg, __s32 value) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value);
}

constexpr bpf_insn leave = instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);

constexpr std::array return_zero{set(BPF_REG_0, 0), leave};
constexpr std::array return_one{set(BPF_REG_0, 1), leave};

/// A program that was loaded, or the errno of the failure. (errno has to be read before anything
/// else is called.)
struct LoadAttempt {
  UniqueFd fd;
  Attempt attempt;
};

LoadAttempt load(bpf_prog_type type, std::span<const bpf_insn> code, bpf_attach_type attach = {},
                 uint32_t btf_id = 0) {
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = attach;
  options.attach_btf_id = btf_id;
  LoadAttempt loaded;
  loaded.fd =
      UniqueFd{bpf_prog_load(type, nullptr, "Dual BSD/GPL", code.data(), code.size(), &options)};
  loaded.attempt.ok = static_cast<bool>(loaded.fd);
  loaded.attempt.error = loaded.attempt.ok ? 0 : errno;
  return loaded;
}

Attempt from_fd(const UniqueFd& fd) { return fd ? Attempt{true, 0} : Attempt{false, errno}; }

LoadAttempt load_tracing(const TypeInfo& types, bpf_attach_type attach, const char* name,
                         __u32 kind, std::span<const bpf_insn> code = return_zero) {
  const auto id = types.find(name, kind);
  if (!id)
    return {UniqueFd{}, {false, ENOENT}};
  return load(BPF_PROG_TYPE_TRACING, code, attach, *id);
}

} // namespace

Attempt try_tp_btf(const TypeInfo& types) {
  return load_tracing(types, BPF_TRACE_RAW_TP, "btf_trace_inet_sock_set_state", BTF_KIND_TYPEDEF)
      .attempt;
}

Attempt try_fentry(const TypeInfo& types) {
  const auto loaded = load_tracing(types, BPF_TRACE_FENTRY, probed_function, BTF_KIND_FUNC);
  if (!loaded.attempt.ok)
    return loaded.attempt;
  const UniqueFd attached{bpf_raw_tracepoint_open(nullptr, loaded.fd.get())};
  return from_fd(attached);
}

Attempt try_kprobe() {
  const auto type = read_line("/sys/bus/event_source/devices/kprobe/type");
  const auto number = type ? parse_number<uint32_t>(*type) : std::nullopt;
  if (!number)
    return {false, ENOENT};
  const auto loaded = load(BPF_PROG_TYPE_KPROBE, return_zero);
  if (!loaded.attempt.ok)
    return loaded.attempt;
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = *number;
  attributes.kprobe_func = reinterpret_cast<uintptr_t>(probed_function);
  const UniqueFd event{
      static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC))};
  if (!event || ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, loaded.fd.get()) < 0)
    return {false, errno};
  return {true, 0};
}

Attempt try_iterator(const TypeInfo& types) {
  return load_tracing(types, BPF_TRACE_ITER, "bpf_iter_task_file", BTF_KIND_FUNC).attempt;
}

Attempt try_task_stack(const TypeInfo& types) {
  constexpr __s16 task = 8; // offset in struct bpf_iter__task
  const std::array code{
      instruction(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_1, task, 0),
      instruction(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 5, 0),
      instruction(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
      instruction(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -8),
      set(BPF_REG_3, 8),
      set(BPF_REG_4, 0),
      instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_task_stack),
      set(BPF_REG_0, 0),
      leave,
  };
  return load_tracing(types, BPF_TRACE_ITER, "bpf_iter_task", BTF_KIND_FUNC, code).attempt;
}

Attempt try_cgroup_skb(const std::string& cgroup_mount) {
  const auto loaded = load(BPF_PROG_TYPE_CGROUP_SKB, return_one, BPF_CGROUP_INET_INGRESS);
  if (!loaded.attempt.ok)
    return loaded.attempt;
  const UniqueFd cgroup{open(cgroup_mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!cgroup)
    return {false, errno};
  const UniqueFd link{
      bpf_link_create(loaded.fd.get(), cgroup.get(), BPF_CGROUP_INET_INGRESS, nullptr)};
  return from_fd(link);
}

Attempt try_probe_read() {
  const std::array code{
      instruction(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10, 0, 0),
      instruction(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, -8),
      set(BPF_REG_2, 8),
      set(BPF_REG_3, 0),
      instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel),
      set(BPF_REG_0, 0),
      leave,
  };
  return load(BPF_PROG_TYPE_RAW_TRACEPOINT, code).attempt;
}

Attempt try_ring_buffer() {
  const UniqueFd map{bpf_map_create(BPF_MAP_TYPE_RINGBUF, nullptr, 0, 0,
                                    static_cast<__u32>(sysconf(_SC_PAGESIZE)), nullptr)};
  return from_fd(map);
}

} // namespace acceptwatch
