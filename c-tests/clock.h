/* clock.h - clocks that jump: an hour passes in no time
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * clock_gettime () of a program with clock.c in it stands in for the C
 * library's, and syscall (), by which the library's thread sleeps until a time.
 */

#ifndef CLOCK_H
#define CLOCK_H

#include <time.h>

/* CLOCK_MONOTONIC or CLOCK_REALTIME is so many seconds later from now on.
 */
void clock_jump (clockid_t clock, double seconds);

/* The time as it really goes (ms).
 */
double real_ms (void);

#endif /* !CLOCK_H */
