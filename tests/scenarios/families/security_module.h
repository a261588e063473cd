// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

struct security_module_bpf;

namespace acceptwatch::scenarios {

// Whether this kernel was booted with lsm=...,bpf.
bool has_bpf_modules();

// A program of the BPF LSM. Throws Failure where has_bpf_modules() does not hold.
class SecurityModule {
public:
  SecurityModule();
  ~SecurityModule();
  SecurityModule(const SecurityModule&) = delete;
  SecurityModule& operator=(const SecurityModule&) = delete;

  // Requests to that port in the current network namespace, until the next call. Port 0: none.
  void refuse(uint16_t port);

private:
  struct Unload {
    void operator()(security_module_bpf* object) const;
  };
  std::unique_ptr<security_module_bpf, Unload> object_;
};

} // namespace acceptwatch::scenarios
