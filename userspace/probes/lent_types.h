// SPDX-License-Identifier: Apache-2.0
#pragma once

struct bpf_object;

namespace acceptwatch {

/// While this object lives, libbpf gets a smaller copy of the kernel's type information: only what
/// the given BPF objects refer to. One that is made while another lives changes nothing, so the
/// outer one has to be given all BPF objects.
///
/// libbpf (up to 1.6 at least) reads and parses all type information for each object that it loads,
/// and searches it for each type that is relocated and each program that is attached. That is half
/// of the time of a start, and most of its memory. libbpf has no option to pass it in; so the
/// linker redirects its call of btf__load_vmlinux_btf() to ours (--wrap). That works in a static
/// link only: a shared libbpf calls its own function, and reads everything.
class LentTypes {
public:
  /// `other` may be null.
  explicit LentTypes(bpf_object* object, bpf_object* other = nullptr);
  ~LentTypes();
  LentTypes(const LentTypes&) = delete;
  LentTypes& operator=(const LentTypes&) = delete;

private:
  bool lends_ = false;
};

} // namespace acceptwatch
