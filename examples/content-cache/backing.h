/* backing.h - a store of blobs on disk, with threads that do the waiting
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef BACKING_H
#define BACKING_H

#include "module.h"

/* The module "content-backing": answers CONTENT_STORE when the blob is on
 * disk, and CONTENT_LOAD with the blob, or ENOENT. NULL with errno where
 * there can be no store.
 */
struct backing *backing_create (void);

/* Answer all requests, end the threads, and remove the store.
 */
void backing_destroy (struct backing *b);

struct module *backing_module (struct backing *b);

#endif /* BACKING_H */

/* vi: ts=4 sw=4 expandtab
 */
