// SPDX-License-Identifier: Apache-2.0
// Type information from a file (--btf): what is_sound() lets through is followed to its end.
#include "target.h"

#include "kernel/btf.h"
#include "kernel/type_check.h"

#include <bpf/btf.h>
#include <cstring>

using namespace acceptwatch;

std::vector<std::string> seeds() {
  btf* types = btf__new_empty();
  const int number = btf__add_int(types, "int", 4, BTF_INT_SIGNED);
  const int prototype = btf__add_func_proto(types, number);
  btf__add_func_param(types, "sk", number + 3);
  btf__add_struct(types, "sock", 8);
  btf__add_field(types, "skc_net", number, 0, 0);
  btf__add_ptr(types, number + 2);
  btf__add_func(types, "tcp_conn_request", BTF_FUNC_STATIC, prototype);
  btf__add_typedef(types, "btf_trace_tcp_send_reset", prototype);
  btf__add_array(types, number, number + 2, 3);
  btf__add_enum(types, "skb_drop_reason", 4);
  btf__add_enum_value(types, "SKB_DROP_REASON_NO_SOCKET", 3);
  uint32_t size = 0;
  const auto* raw = static_cast<const char*>(btf__raw_data(types, &size));
  std::vector<std::string> all{{raw, size}};
  btf__free(types);
  return all;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Aligned, as a mapped file is.
  std::vector<uint64_t> aligned(size / sizeof(uint64_t) + 1);
  std::memcpy(aligned.data(), data, size);
  const auto types = TypeInfo::parse(std::make_shared<std::span<const std::byte>>(
      reinterpret_cast<const std::byte*>(aligned.data()), size));
  if (!types || !is_sound(*types))
    return 0;
  static_cast<void>(function_arguments(*types, "tcp_conn_request"));
  static_cast<void>(tracepoint_arguments(*types, {"tcp_send_reset"}));
  static_cast<void>(member_offset(*types, "sock", "skc_net"));
  static_cast<void>(takes_struct(*types, "tcp_conn_request"));
  static_cast<void>(enumerators(*types, "skb_drop_reason"));
  static_cast<void>(types->reduced_to({"sock", "skb_drop_reason"}));
  return 0;
}
