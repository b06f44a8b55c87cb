/* resolver.h - a getaddrinfo () that a test has in its hand. A program that
 * is linked with resolver.c and -rdynamic has it in the place of the C
 * library's; addresses in numbers still go there.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef RESOLVER_H
#define RESOLVER_H

#include <stdbool.h>

#include "tap.h"

/* The answer to each lookup of a name from now on: addresses separated by
 * spaces, or NULL for "no such name", which is what it is at first.
 */
void resolver_answer (const char *addresses);

/* Whether lookups wait, from now on, until this is called with false.
 */
void resolver_block (bool block);

/* How many lookups of names there were, and how many wait now.
 */
int resolver_calls (void);
int resolver_waiting (void);

/* Waits until so many lookups wait.
 */
bool resolver_wait_for (int waiting, int timeout) TAP_USE_RESULT;

#endif /* !RESOLVER_H */
