/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statsd-reader.h"
#include "tap.h"

#define BUCKETS 4096

struct reader {
    enum fripp_dialect dialect;
    struct reading *buckets[BUCKETS];
    size_t datagrams;
    size_t lines;
    size_t bytes;
    size_t metrics;
    char *bad;
    void (*on_value) (const struct reading *m, double value, void *arg);
    void *arg;
};

struct line {
    char *name;
    char *tags;
    char *values;         /* one, or more with ':' between them */
    char *type;
    double rate;
};

static void *xalloc (void *ptr)
{
    if (!ptr)
        bail_out ("out of memory");
    return ptr;
}

struct reader *reader_create (enum fripp_dialect dialect)
{
    struct reader *r = xalloc (calloc (1, sizeof (*r)));

    r->dialect = dialect;
    return r;
}

void reader_destroy (struct reader *r)
{
    for (size_t i = 0; r && i < BUCKETS; i++) {
        struct reading *m;

        while ((m = r->buckets[i])) {
            r->buckets[i] = m->next;
            for (size_t j = 0; j < m->members; j++)
                free (m->seen[j]);
            free (m->seen);
            free (m->name);
            free (m->tags);
            free (m);
        }
    }
    if (r)
        free (r->bad);
    free (r);
}

void reader_on_value (struct reader *r,
                      void (*f) (const struct reading *m, double value,
                                 void *arg), void *arg)
{
    r->on_value = f;
    r->arg = arg;
}

static size_t bucket (const char *name, const char *type)
{
    unsigned int hash = 5381;

    while (*name)
        hash = hash * 33 + (unsigned char)*name++;
    while (*type)
        hash = hash * 33 + (unsigned char)*type++;
    return hash % BUCKETS;
}

static struct reading *find (const struct reader *r, const char *name,
                             const char *tags, const char *type)
{
    struct reading *m = r->buckets[bucket (name, type)];

    while (m && (strcmp (m->name, name) || strcmp (m->type, type)
                 || (tags && strcmp (m->tags, tags))))
        m = m->next;
    return m;
}

static struct reading *make (struct reader *r, const struct line *line)
{
    struct reading **head = &r->buckets[bucket (line->name, line->type)];
    struct reading *m = find (r, line->name, line->tags, line->type);

    if (m)
        return m;
    m = xalloc (calloc (1, sizeof (*m)));
    m->name = xalloc (strdup (line->name));
    m->tags = xalloc (strdup (line->tags));
    strcpy (m->type, line->type);
    m->rate = 1;
    m->next = *head;
    *head = m;
    r->metrics++;
    return m;
}

/* A plain decimal: -?digits(.digits)?, whatever the locale is. Returns
 * whether it is one, and whole where it has no dot.
 */
static bool read_number (const char *s, double *real, int64_t *integer,
                         bool *whole)
{
    bool negative = *s == '-';
    const char *p = s + negative;
    long double value = 0;
    long double unit = 1;
    uint64_t bits = 0;

    if (!isdigit ((unsigned char)*p))
        return false;
    for (; isdigit ((unsigned char)*p); p++) {
        value = value * 10 + (*p - '0');
        bits = bits * 10 + (uint64_t)(*p - '0');
    }
    *whole = *p == '\0';
    if (*p == '.') {
        if (!isdigit ((unsigned char)*++p))
            return false;
        for (; isdigit ((unsigned char)*p); p++)
            value += (*p - '0') * (unit /= 10);
    }
    *real = (double)(negative ? -value : value);
    *integer = (int64_t)(negative ? -bits : bits);
    return *p == '\0';
}

static bool add_member (struct reading *m, const char *member)
{
    for (size_t i = 0; i < m->members; i++) {
        if (!strcmp (m->seen[i], member))
            return true;
    }
    m->seen = xalloc (realloc (m->seen, (m->members + 1) * sizeof (char *)));
    m->seen[m->members++] = xalloc (strdup (member));
    return *member != '\0';
}

static bool add_value (struct reader *r, struct reading *m, const char *text,
                       double rate)
{
    double times = (double)(int64_t)(1 / rate + 0.5);
    long double total;
    int64_t integer;
    double real;
    bool whole;

    if (!strcmp (m->type, "s"))
        return add_member (m, text);
    if (!read_number (text, &real, &integer, &whole))
        return false;
    if (r->on_value)
        r->on_value (m, real, r->arg);
    switch (m->type[0]) {
    case 'c':
        if (rate != 1)
            return false;
        m->real_sum += real;
        m->sum += integer;
        return whole;
    case 'C':
        /* brubeck: the first is the baseline, and so is a zero; a lower one
         * is a restart
         */
        if (r->dialect != FRIPP_BRUBECK || rate != 1 || real < 0)
            return false;
        total = whole ? (long double)integer : (long double)real;
        if (m->previous > 0)
            m->added += total >= m->previous ? total - m->previous : total;
        m->previous = total;
        m->last = integer;
        /* what was opened with a billionth is counted but for that */
        m->sum = (int64_t)(m->added + 0.5L);
        return whole || !strcmp (text, "0.000000001");
    case 'g':
        if (*text == '-' && r->dialect != FRIPP_DOGSTATSD)
            m->gauge += real;
        else
            m->gauge = real;
        return rate == 1;
    default:
        if (m->values == 0 || real < m->min)
            m->min = real;
        if (m->values == 0 || real > m->max)
            m->max = real;
        m->values += times;
        m->real_sum += real * times;
        m->rate = rate;
        return true;
    }
}

/* Whether the type is one of the dialect.
 */
static bool is_type (const struct reader *r, const char *type)
{
    bool statsd = r->dialect == FRIPP_STATSD || r->dialect == FRIPP_GRAPHITE;

    if (!strcmp (type, "C"))
        return r->dialect == FRIPP_BRUBECK;
    if (!strcmp (type, "s"))
        return r->dialect != FRIPP_BRUBECK;
    if (!strcmp (type, "h"))
        return !statsd;
    return !strcmp (type, "c") || !strcmp (type, "g") || !strcmp (type, "ms");
}

/* Takes the tags from the end of a name, where the dialect has them there.
 */
static void split_tags (const struct reader *r, struct line *line)
{
    char separator = 0;
    char *p;

    if (r->dialect == FRIPP_TELEGRAF)
        separator = ',';
    if (r->dialect == FRIPP_GRAPHITE)
        separator = ';';
    if (separator && (p = strchr (line->name, separator))) {
        *p = '\0';
        line->tags = p + 1;
    }
}

static bool has_forbidden (const char *name)
{
    for (; *name; name++) {
        if (strchr (":|@#,;=", *name) || (unsigned char)*name <= ' '
            || *name == 0x7f)
            return true;
    }
    return false;
}

/* Takes a line apart: name:value|type[|@rate][|#tags].
 */
static bool split (const struct reader *r, char *text, struct line *line)
{
    char *more;
    int64_t integer;
    bool whole;
    char *p;

    memset (line, 0, sizeof (*line));
    line->name = text;
    line->tags = "";
    line->rate = 1;
    if (!(p = strchr (text, ':')))
        return false;
    *p = '\0';
    line->values = p + 1;
    if (!(p = strchr (line->values, '|')))
        return false;
    *p = '\0';
    line->type = p + 1;
    more = strchr (line->type, '|');
    while (more) {
        *more++ = '\0';
        p = more;
        more = strchr (p, '|');
        if (more)
            *more = '\0';
        if (*p == '@') {
            if (!read_number (p + 1, &line->rate, &integer, &whole)
                || line->rate <= 0 || line->rate > 1)
                return false;
        }
        else if (*p == '#' && r->dialect == FRIPP_DOGSTATSD)
            line->tags = p + 1;
        else
            return false;
    }
    split_tags (r, line);
    return *line->name && !has_forbidden (line->name)
           && line->name[strlen (line->name) - 1] != '.'
           && is_type (r, line->type);
}

static bool read_line (struct reader *r, char *text)
{
    struct line line;
    struct reading *m;
    char *value;
    bool good = true;

    if (!split (r, text, &line))
        return false;
    m = make (r, &line);
    value = line.values;
    while (value && good) {
        char *colon = strchr (value, ':');

        /* packed values are dogstatsd's alone */
        if (colon) {
            *colon++ = '\0';
            good = r->dialect == FRIPP_DOGSTATSD
                   && (*line.type == 'm' || *line.type == 'h');
        }
        good &= add_value (r, m, value, line.rate);
        value = colon;
    }
    m->lines++;
    return good;
}

static void note_bad (struct reader *r, const char *data, size_t len)
{
    if (!r->bad)
        r->bad = xalloc (strndup (data, len));
}

void reader_read (struct reader *r, const char *data, size_t len)
{
    const char *end = data + len;

    r->datagrams++;
    r->bytes += len;
    if (len == 0 || memchr (data, '\0', len)) {
        note_bad (r, "an empty datagram, or a NUL", 28);
        return;
    }
    while (data <= end) {
        const char *newline = memchr (data, '\n', (size_t)(end - data));
        size_t n = (size_t)((newline ? newline : end) - data);
        char *text = xalloc (strndup (data, n));

        r->lines++;
        if (!read_line (r, text))
            note_bad (r, n ? data : "an empty line", n ? n : 13);
        free (text);
        data += n + 1;
    }
}

void reader_read_all (struct reader *r, const struct listener *l,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct datagram *d = listener_get (l, i);

        reader_read (r, d->data, d->len);
    }
}

const struct reading *reader_get (const struct reader *r, const char *name,
                                  const char *type)
{
    static const struct reading none = { .name = "", .tags = "", .rate = 1 };
    const struct reading *m = find (r, name, NULL, type);

    return m ? m : &none;
}

size_t reader_datagrams (const struct reader *r)
{
    return r->datagrams;
}

size_t reader_lines (const struct reader *r)
{
    return r->lines;
}

size_t reader_bytes (const struct reader *r)
{
    return r->bytes;
}

size_t reader_metrics (const struct reader *r)
{
    return r->metrics;
}

const char *reader_bad (const struct reader *r)
{
    return r->bad;
}
