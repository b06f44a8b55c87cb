/* The functions with "..." and what they need of a va_list, which stable Rust
 * cannot define before 1.99. rustc hides the symbols of a C object, so
 * variadic.rs exports each name and jumps here. Where it knows no jump, they
 * have their names here, and scripts/link exports them.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define HIDDEN __attribute__ ((visibility ("hidden")))

struct fripp_ctx;

int fripp_vformat_send (struct fripp_ctx *ctx, const char *fmt, va_list ap);
int fripp_packet_vappendf (struct fripp_ctx *ctx, const char *fmt, va_list ap);

/* Makes the C locale the calling thread's. Returns the one before it, or 0
 * without memory.
 */
static __attribute__ ((noinline, cold)) locale_t use_c_locale (void)
{
    /* made once: of two threads that do so at a time, one frees its own */
    static locale_t made;
    locale_t locale = __atomic_load_n (&made, __ATOMIC_ACQUIRE);

    if (!locale) {
        locale_t mine = newlocale (LC_ALL_MASK, "C", (locale_t)0);

        if (!mine)
            return mine;
        if (__atomic_compare_exchange_n (&made, &locale, mine, 0,
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            locale = mine;
        else
            freelocale (mine);
    }
    return uselocale (locale);
}

/* Formats once into the caller's buffer, a second time into memory of its
 * own where that was too short. Returns the text, which the caller frees
 * where it is not buf, and sets *len; NULL with errno. The decimal point is
 * a dot in every locale.
 */
HIDDEN char *fripp_va_text (char *buf, size_t size, const char *fmt,
                            va_list ap, size_t *len)
{
    locale_t before = (locale_t)0;
    va_list again;
    char *text = buf;
    int n;
    int again_n;

    /* most processes never set a locale with another decimal point */
    if (__builtin_expect (*nl_langinfo (RADIXCHAR) != '.', 0)) {
        if (!(before = use_c_locale ())) {
            errno = ENOMEM;
            return NULL;
        }
    }
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
    if (__builtin_expect (before != (locale_t)0, 0))
        uselocale (before);
    if (n < 0) {
        if (text != buf)
            free (text);
        return NULL;
    }
    *len = (size_t)n;
    return text;
}

#ifdef FRIPP_NO_JUMP
#define LINKAGE __attribute__ ((visibility ("default")))
#else
#define LINKAGE HIDDEN
#endif

#define VARIADIC(name, va_form) \
    LINKAGE int name (struct fripp_ctx *ctx, const char *fmt, ...) \
    { \
        va_list ap; \
        int rc; \
\
        va_start (ap, fmt); \
        rc = va_form (ctx, fmt, ap); \
        va_end (ap); \
        return rc; \
    }

#ifdef FRIPP_NO_JUMP
VARIADIC (fripp_format_send, fripp_vformat_send)
VARIADIC (fripp_sendf, fripp_vformat_send)
VARIADIC (fripp_packet_appendf, fripp_packet_vappendf)
#else
VARIADIC (fripp_va_format_send, fripp_vformat_send)
VARIADIC (fripp_va_packet_appendf, fripp_packet_vappendf)
#endif
