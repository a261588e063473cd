// SPDX-License-Identifier: Apache-2.0
// What a fuzz target is made of: driver.cpp feeds it changed seeds, and so may libFuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Inputs to begin with, in a valid form.
std::vector<std::string> seeds();

/// Ends the process where something is wrong with what becomes of the input.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
