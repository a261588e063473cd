// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace acceptwatch::scenarios {

// Executes this program again, as one that does nothing but hold a listener. It tells the channel
// its new name, and ends when it hears "close".
[[noreturn]] void exec_holder(int listener_fd, int channel_fd);

// The same, without a listener: what FD_CLOEXEC closes is closed.
[[noreturn]] void exec_without_listener(int channel_fd);

// Does not return when the arguments are those of exec_holder().
void become_holder_if_asked(int argc, char** argv);

} // namespace acceptwatch::scenarios
