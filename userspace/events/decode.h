// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "events/event.h"
#include "events/time.h"

#include <functional>
#include <span>
#include <variant>

namespace acceptwatch {

/// A record as it came, checked for its kind and size.
using Record = std::variant<aw_event, aw_process, aw_holder>;

/// Whether each number that stands for a name is in the range of its names. Of another nothing can
/// be said: C++ does not define what it does as an enumerator.
[[nodiscard]] bool has_known_numbers(const aw_event& record);

/// Copies one record out of `bytes`. An error where the bytes are fewer than the
/// record's kind needs, of no kind that is known, or with numbers that are not.
[[nodiscard]] Result<Record> decode(std::span<const std::byte> bytes);

/// The running kernel's own name of a reason, or nothing. The name lives as long as this.
using ReasonNames = std::function<std::optional<std::string_view>(aw_reason_space, uint32_t)>;

/// The event as a value. Its owner is not known here: the listener table adds it.
[[nodiscard]] Event to_event(const aw_event& record, const Instant& now, const ReasonNames& names);

/// How the listener of a listener_closed ended; of a closed_after_accept, who closed it. Absent:
/// not known.
[[nodiscard]] std::optional<ListenerEnd> end_of(const aw_event& record);

/// How a process ended, and with it the listeners that it alone held: of an AW_PROCESS_EXIT.
[[nodiscard]] ListenerEnd end_of(const aw_process& record);

/// The listener's own address.
[[nodiscard]] Address address_of(const aw_listener& listener);

/// A name as records and maps have it: NUL-padded.
[[nodiscard]] std::string text_of(std::span<const __u8> name);

} // namespace acceptwatch
