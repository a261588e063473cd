// SPDX-License-Identifier: Apache-2.0
#pragma once

struct bpf_object;

namespace acceptwatch {

/// While this object lives, libbpf gets a smaller copy of the kernel's type information: only what
/// the given BPF objects refer to. One that is made while another lives changes nothing, so the
/// outer one has to be given all BPF objects.
///
/// libbpf (up to 1.6 at least) reads and parses all of it for each object that it loads, and
/// goes through all of it for each type that is relocated and each program that is attached:
/// without this a start takes 86 ms of CPU time instead of 59, and 16 MiB instead of 9.5 (tier
/// tracepoint on 6.18). No option hands it over; so the linker
/// leads libbpf's call of btf__load_vmlinux_btf() to us (--wrap). Where libbpf is a shared
/// library its calls stay inside, and it reads everything as ever.
class MinimalBtf {
public:
  /// `other` may be null.
  explicit MinimalBtf(bpf_object* object, bpf_object* other = nullptr);
  ~MinimalBtf();
  MinimalBtf(const MinimalBtf&) = delete;
  MinimalBtf& operator=(const MinimalBtf&) = delete;

private:
  bool owns_ = false;
};

} // namespace acceptwatch
