// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

struct security_module_bpf;

namespace acceptwatch::scenarios {

// Whether this kernel was booted with lsm=...,bpf.
bool has_bpf_modules();

// As long as it lives, a program of the BPF LSM refuses requests to that port, in all namespaces.
// Throws Failure where has_bpf_modules() does not hold.
class SecurityModule {
public:
  explicit SecurityModule(uint16_t refused_port);
  ~SecurityModule();
  SecurityModule(const SecurityModule&) = delete;
  SecurityModule& operator=(const SecurityModule&) = delete;

private:
  struct Unload {
    void operator()(security_module_bpf* object) const;
  };
  std::unique_ptr<security_module_bpf, Unload> object_;
};

} // namespace acceptwatch::scenarios
