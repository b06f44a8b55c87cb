# SPDX-License-Identifier: MIT OR Apache-2.0
"""Counts what is right and what is wrong."""

import math

passed = failed = 0


def check(what, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"not ok: {what}: {detail}")


def near(a, b, digits=1e-6):
    return (a is None and b is None) or (
        a is not None and b is not None and math.isclose(a, b, rel_tol=digits, abs_tol=1e-9))
