#pragma once

#include <zlib.h>

/// `deflateInit2` is a macro.
static inline int ems_deflate_init(z_streamp stream, int level, int window_bits) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}
