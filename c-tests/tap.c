/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

/* A program that is stuck dies of SIGALRM after this many seconds.
 */
#define STUCK 240

static int run;
static int failed;
static FILE *out;

/* Results go to a copy of stdout, for some tests redirect theirs.
 */
__attribute__ ((constructor)) static void tap_open (void)
{
    int fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd < 0 || !(out = fdopen (fd, "w")))
        abort ();
    setvbuf (out, NULL, _IOLBF, BUFSIZ);
    alarm (STUCK);
}

/* The sign '#' would begin a directive, a newline would end the line.
 */
static void print_name (const char *fmt, va_list ap)
{
    char name[512];

    (void)vsnprintf (name, sizeof (name), fmt, ap);
    for (char *p = name; *p; p++) {
        if (*p == '#' || *p == '\n')
            *p = ' ';
    }
    fprintf (out, " %d - %s", run, name);
}

static void result (bool cond, const char *fmt, va_list ap)
{
    run++;
    if (!cond)
        failed++;
    fputs (cond ? "ok" : "not ok", out);
    print_name (fmt, ap);
    fputc ('\n', out);
}

/* A text in a comment: what would break the line is escaped.
 */
static void show (const char *label, const char *text)
{
    fprintf (out, "#   %s: ", label);
    if (!text)
        fputs ("(null)", out);
    for (size_t i = 0; text && text[i]; i++) {
        if (i == 1000) {
            fputs ("...", out);
            break;
        }
        if (text[i] == '\n')
            fputs ("\\n", out);
        else
            fputc (text[i], out);
    }
    fputc ('\n', out);
}

bool tap_ok (bool cond, const char *text, const char *file, int line,
             const char *fmt, ...)
{
    int saved_errno = errno;
    va_list ap;

    va_start (ap, fmt);
    result (cond, fmt, ap);
    va_end (ap);
    if (!cond) {
        fprintf (out, "#   failed at %s:%d, errno %d (%s)\n", file, line,
                 saved_errno, strerror (saved_errno));
        show ("wanted", text);
    }
    errno = saved_errno;
    return cond;
}

bool tap_is_int (long long got, long long want, const char *file, int line,
                 const char *fmt, ...)
{
    int saved_errno = errno;
    va_list ap;

    va_start (ap, fmt);
    result (got == want, fmt, ap);
    va_end (ap);
    if (got != want)
        fprintf (out, "#   failed at %s:%d\n#   got: %lld\n#   wanted: %lld\n",
                 file, line, got, want);
    errno = saved_errno;
    return got == want;
}

bool tap_is_str (const char *got, const char *want, const char *file,
                 int line, const char *fmt, ...)
{
    int saved_errno = errno;
    bool same = got && want ? !strcmp (got, want) : got == want;
    va_list ap;

    va_start (ap, fmt);
    result (same, fmt, ap);
    va_end (ap);
    if (!same) {
        fprintf (out, "#   failed at %s:%d\n", file, line);
        show ("got", got);
        show ("wanted", want);
    }
    errno = saved_errno;
    return same;
}

void skip (const char *reason, const char *fmt, ...)
{
    va_list ap;

    va_start (ap, fmt);
    run++;
    fputs ("ok", out);
    print_name (fmt, ap);
    va_end (ap);
    fprintf (out, " # SKIP %s\n", reason);
}

void diag (const char *fmt, ...)
{
    int saved_errno = errno;
    va_list ap;

    va_start (ap, fmt);
    fputs ("# ", out);
    vfprintf (out, fmt, ap);
    fputc ('\n', out);
    va_end (ap);
    errno = saved_errno;
}

void bail_out (const char *fmt, ...)
{
    va_list ap;

    va_start (ap, fmt);
    fputs ("Bail out! ", out);
    vfprintf (out, fmt, ap);
    fputc ('\n', out);
    va_end (ap);
    fflush (out);
    _exit (255);
}

int done_testing (void)
{
    fprintf (out, "1..%d\n", run);
    fflush (out);
    return failed ? 1 : 0;
}
