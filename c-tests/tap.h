/* tap.h - the Test Anything Protocol, as much of it as is needed here
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stddef.h>

#define TAP_PRINTF(fmt, args) __attribute__ ((format (printf, fmt, args)))

/* One test: what is tested, and whether it holds. Returns cond.
 */
#define ok(cond, ...) \
    tap_ok ((cond), #cond, __FILE__, __LINE__, __VA_ARGS__)

/* The same for two integers, and for two texts, which a failure shows.
 */
#define is_int(got, want, ...) \
    tap_is_int ((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, ...) \
    tap_is_str ((got), (want), __FILE__, __LINE__, __VA_ARGS__)

bool tap_ok (bool cond, const char *text, const char *file, int line,
             const char *fmt, ...) TAP_PRINTF (5, 6);
bool tap_is_int (long long got, long long want, const char *file, int line,
                 const char *fmt, ...) TAP_PRINTF (5, 6);
bool tap_is_str (const char *got, const char *want, const char *file,
                 int line, const char *fmt, ...) TAP_PRINTF (5, 6);

/* A test that this machine cannot run.
 */
void skip (const char *reason, const char *fmt, ...) TAP_PRINTF (2, 3);

/* A comment.
 */
void diag (const char *fmt, ...) TAP_PRINTF (1, 2);

/* Ends the program: without what just failed, no test makes sense.
 */
void bail_out (const char *fmt, ...)
    TAP_PRINTF (1, 2) __attribute__ ((noreturn));

/* Ends the program where what the next tests build on is not there.
 */
#define must(cond) \
    ((cond) ? (void)0 \
     : bail_out ("%s:%d: not so: %s", __FILE__, __LINE__, #cond))

/* The result of a wait says whether what was waited for has come.
 */
#define TAP_USE_RESULT __attribute__ ((warn_unused_result))

/* Prints the plan. Returns the status for main () to end with.
 */
int done_testing (void);

#endif /* !TAP_H */
