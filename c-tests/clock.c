/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <dlfcn.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

#define SECOND 1000000000LL

static _Atomic int64_t monotonic_offset;        /* ns */
static _Atomic int64_t realtime_offset;

typedef long (*syscall_f) (long number, ...);
typedef int (*gettime_f) (clockid_t clock, struct timespec *ts);

static syscall_f real_syscall (void)
{
    static syscall_f real;

    if (!real)
        *(void **)&real = dlsym (RTLD_NEXT, "syscall");
    return real;
}

/* The C library's, which needs no system call.
 */
static int real_gettime (clockid_t clock, struct timespec *ts)
{
    static gettime_f real;

    if (!real)
        *(void **)&real = dlsym (RTLD_NEXT, "clock_gettime");
    return real (clock, ts);
}

static struct timespec later (const struct timespec *ts, int64_t by)
{
    int64_t ns = ts->tv_sec * SECOND + ts->tv_nsec + by;

    if (ns < 0)
        ns = 0;
    return (struct timespec){ ns / SECOND, ns % SECOND };
}

long syscall (long number, ...)
{
    const struct timespec *until;
    struct timespec real;
    long args[6];
    va_list ap;

    va_start (ap, number);
    for (int i = 0; i < 6; i++)
        args[i] = va_arg (ap, long);
    va_end (ap);
    until = (const struct timespec *)args[3];
    if (number == SYS_futex && until
        && (args[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
        real = later (until, -monotonic_offset);
        args[3] = (long)&real;
    }
    return real_syscall () (number, args[0], args[1], args[2], args[3],
                            args[4], args[5]);
}

int clock_gettime (clockid_t clock, struct timespec *ts)
{
    int rc = real_gettime (clock, ts);

    if (clock == CLOCK_REALTIME)
        *ts = later (ts, realtime_offset);
    if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)
        *ts = later (ts, monotonic_offset);
    return rc;
}

void clock_jump (clockid_t clock, double seconds)
{
    atomic_fetch_add (clock == CLOCK_REALTIME ? &realtime_offset
                                              : &monotonic_offset,
                      (int64_t)(seconds * SECOND));
}

double real_ms (void)
{
    struct timespec ts;

    real_gettime (CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}
