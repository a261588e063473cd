// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

struct bpf_object;

namespace acceptwatch {

/// From make_for() on, while this object lives, libbpf gets a smaller copy of the kernel's type
/// information: only what the given BPF objects refer to. One that is made while another lives
/// changes nothing, so the outer one has to be given all BPF objects.
///
/// libbpf (up to 1.6 at least) reads and parses all of it for each object that it loads, and
/// goes through all of it for each type that is relocated and each program that is attached:
/// without this a start takes 86 ms of CPU time instead of 59, and 16 MiB instead of 9.5 (tier
/// tracepoint on 6.18). No option hands it over; so the linker
/// leads libbpf's call of btf__load_vmlinux_btf() to us (--wrap). Where libbpf is a shared
/// library its calls stay inside, and it reads everything as ever.
class MinimalBtf {
public:
  MinimalBtf() = default;
  ~MinimalBtf();
  MinimalBtf(const MinimalBtf&) = delete;
  MinimalBtf& operator=(const MinimalBtf&) = delete;

  /// `other` may be null. Where the kernel carries no type information nothing is done: libbpf
  /// looks for it elsewhere. Fails where there is no memory for it.
  [[nodiscard]] Result<void> make_for(bpf_object* object, bpf_object* other = nullptr);

private:
  bool owns_ = false;
};

} // namespace acceptwatch
