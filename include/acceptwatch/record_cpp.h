/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The shared headers for C++, which has no vmlinux.h to bring the types. */
#pragma once

#include <linux/types.h>

#include "acceptwatch/config.h"
#include "acceptwatch/decide.h"
#include "acceptwatch/record.h"
