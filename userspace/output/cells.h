// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "events/event.h"

namespace acceptwatch {

// Cells of text tables, fit for a terminal. Widths are in bytes.

/// The first bytes of a text, and no part of a character.
[[nodiscard]] std::string cut(const std::string& text, size_t bytes);

/// "nginx/4711 x5": name, pid, and how many processes hold the listener. The
/// name gives way where the column is narrow. "-": not known.
[[nodiscard]] std::string owner_text(const std::optional<Owner>& owner, size_t owners,
                                     size_t width = std::string::npos);

/// A time span with two or three digits that say something: 12us, 3.4ms, 1.2s.
[[nodiscard]] std::string duration_text(double seconds);

/// Lines of at most 80 columns, each with the indent before it, and a newline behind it.
[[nodiscard]] std::string wrapped(std::string_view text, std::string_view indent);

} // namespace acceptwatch
