// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace acceptwatch::scenarios {

// `--self-test`: whether the judge finds what it is there to find. Records that are right are made
// up, and spoilt one way after the other. True when each spoilt set was refused, and the right one
// accepted.
bool run_self_test();

} // namespace acceptwatch::scenarios
