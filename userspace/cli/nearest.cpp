// SPDX-License-Identifier: Apache-2.0
#include "cli/nearest.h"

#include <algorithm>
#include <numeric>

namespace acceptwatch {
namespace {

/// Letters to insert, leave out, replace or swap with their neighbour.
size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<size_t>> steps(from.size() + 1, std::vector<size_t>(to.size() + 1));
  std::iota(steps.front().begin(), steps.front().end(), size_t{0});
  for (size_t i = 1; i <= from.size(); ++i) {
    steps[i][0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t replaced = steps[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      steps[i][j] = std::min({steps[i - 1][j] + 1, steps[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        steps[i][j] = std::min(steps[i][j], steps[i - 2][j - 2] + 1);
    }
  }
  return steps.back().back();
}

} // namespace

std::optional<std::string> nearest(std::string_view typed, const std::vector<std::string>& words) {
  constexpr size_t most_compared = 64; // nobody means an option by more
  constexpr size_t least_beginning = 3;
  if (typed.empty() || typed.size() > most_compared)
    return std::nullopt;
  const std::string* best = nullptr;
  size_t least = (typed.size() + 2) / 3 + 1;
  for (const auto& word : words) {
    const bool begins = typed.size() >= least_beginning && word.starts_with(typed);
    const size_t difference = begins ? 1 : distance(typed, word);
    if (difference < least) {
      least = difference;
      best = &word;
    }
  }
  return best ? std::optional{*best} : std::nullopt;
}

} // namespace acceptwatch
