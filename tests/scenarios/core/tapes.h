// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/agent.h"

namespace acceptwatch::scenarios {

// The lines of a run, one after the other, at the end of a file or as its whole.
void append_lines(const Agent& agent, const std::string& path);

// `path` has no ending yet: PATH.tape is what acceptwatch has written, PATH.ndjson gets its lines.
// Of a run that was not good there is neither.
void keep_tape(const Agent& agent, const std::string& path, bool is_good);

} // namespace acceptwatch::scenarios
