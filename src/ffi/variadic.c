/* The functions with "..." and what they need of a va_list, which stable Rust
 * cannot define before 1.99. rustc hides the symbols of a C object, so
 * variadic.rs exports each name and jumps here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define HIDDEN __attribute__ ((visibility ("hidden")))

struct fripp_ctx;

int fripp_vformat_send (struct fripp_ctx *ctx, const char *fmt, va_list ap);
int fripp_packet_vappendf (struct fripp_ctx *ctx, const char *fmt, va_list ap);

/* Formats once into the caller's buffer, a second time into memory of its
 * own where that was too short. Returns the text, which the caller frees
 * where it is not buf, and sets *len; NULL with errno. */
HIDDEN char *fripp_va_text (char *buf, size_t size, const char *fmt,
                            va_list ap, size_t *len)
{
    va_list again;
    char *text = buf;
    int n;
    int again_n;

    va_copy (again, ap);
    n = vsnprintf (buf, size, fmt, ap);
    if (n >= 0 && (size_t)n >= size) {
        if ((text = malloc ((size_t)n + 1))) {
            /* another thread may have changed an argument meanwhile: what
             * is there is as long as both say */
            again_n = vsnprintf (text, (size_t)n + 1, fmt, again);
            if (again_n < n)
                n = again_n;
        }
        else
            errno = ENOMEM;
    }
    va_end (again);
    if (n < 0) {
        if (text != buf)
            free (text);
        return NULL;
    }
    *len = (size_t)n;
    return text;
}

#define VARIADIC(name, va_form) \
    HIDDEN int name (struct fripp_ctx *ctx, const char *fmt, ...) \
    { \
        va_list ap; \
        int rc; \
\
        va_start (ap, fmt); \
        rc = va_form (ctx, fmt, ap); \
        va_end (ap); \
        return rc; \
    }

VARIADIC (fripp_va_format_send, fripp_vformat_send)
VARIADIC (fripp_va_packet_appendf, fripp_packet_vappendf)
