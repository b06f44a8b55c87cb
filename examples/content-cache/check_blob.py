#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whether blob.c names a blob by its SHA-1. usage: check_blob.py LIBRARY, which is made of blob.c"""

import ctypes
import hashlib
import os
import sys


def main():
    blob = ctypes.CDLL(os.path.abspath(sys.argv[1]))
    ref = ctypes.create_string_buffer(20)
    wrong = []
    # all ways to end in a block of 64 bytes, and many blocks
    sizes = [*range(200), 4096, 100001]
    for size in sizes:
        data = bytes((7 * i + size) % 256 for i in range(size))
        blob.blobref_of(data, ctypes.c_size_t(size), ref)
        if ref.raw != hashlib.sha1(data).digest():
            wrong.append(size)
    for size in wrong:
        print(f"another name for {size} bytes")
    print(f"{len(sizes) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
