/* entry.c - the entries of the content cache
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdlib.h>

#include "entry.h"

struct entry *entry_create (struct entries *es, const struct blobref *ref)
{
    struct entry *e = xzmalloc (sizeof (*e));

    e->node.ref = *ref;
    table_insert (&es->table, &e->node);
    return e;
}

void entry_fill (struct entries *es, struct entry *e, struct msg *msg)
{
    e->data = msg->data;
    e->size = msg->size;
    e->valid = true;
    msg->data = NULL;
    es->valid++;
    es->size += e->size;
}

void entry_release (struct entries *es, struct entry *e)
{
    e->newer = NULL;
    e->older = es->newest;
    *(e->older ? &e->older->newer : &es->oldest) = e;
    es->newest = e;
}

static void unlink_entry (struct entries *es, struct entry *e)
{
    *(e->newer ? &e->newer->older : &es->newest) = e->older;
    *(e->older ? &e->older->newer : &es->oldest) = e->newer;
}

void entry_touch (struct entries *es, struct entry *e)
{
    unlink_entry (es, e);
    entry_release (es, e);
}

static void entry_free (void *arg)
{
    struct entry *e = arg;

    free (e->data);
    free (e);
}

void entry_drop (struct entries *es, struct entry *e)
{
    table_remove (&es->table, &e->node);
    entry_free (e);
}

void entries_evict (struct entries *es, int64_t size)
{
    struct entry *e;

    while (es->size > size && (e = es->oldest)) {
        unlink_entry (es, e);
        es->valid--;
        es->size -= e->size;
        entry_drop (es, e);
    }
}

void entries_clear (struct entries *es)
{
    table_clear (&es->table, entry_free);
}

/* vi: ts=4 sw=4 expandtab
 */
