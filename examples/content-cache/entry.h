/* entry.h - the entries of the content cache
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef ENTRY_H
#define ENTRY_H

#include "module.h"

struct entry {
    struct node node;
    void *data;
    size_t size;
    bool valid;                 /* the data is here */
    bool dirty;                 /* and not on disk yet */
    struct msg *loads;          /* requests that wait for the data */
    struct entry *next_dirty;
    struct entry *newer, *older;
};

struct entries {
    struct table table;
    struct entry *newest, *oldest;      /* of those that may be evicted */
    int64_t valid;
    int64_t size;               /* bytes */
};

struct entry *entry_create (struct entries *es, const struct blobref *ref);

/* Make an entry valid, by the data of a message, which is the entry's then.
 */
void entry_fill (struct entries *es, struct entry *e, struct msg *msg);

/* It may be evicted from now on, after those that may already.
 */
void entry_release (struct entries *es, struct entry *e);

/* It is in use again: it goes to the end of those that may be evicted.
 */
void entry_touch (struct entries *es, struct entry *e);

/* Remove an entry that is not valid.
 */
void entry_drop (struct entries *es, struct entry *e);

/* Evict entries until no more than so many bytes are left.
 */
void entries_evict (struct entries *es, int64_t size);

void entries_clear (struct entries *es);

#endif /* ENTRY_H */

/* vi: ts=4 sw=4 expandtab
 */
