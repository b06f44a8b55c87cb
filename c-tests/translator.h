/* translator.h - a translator of addresses, as a NAT or a load balancer is
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Servers are reached by an address of another network. The first datagram of
 * a new source port is assigned to the server of that moment, and so are all
 * others of that port. connect () of a program with translator.c in it stands
 * in for it: each socket has a port of its own. The kernel's translation would
 * need privileges, and a network namespace.
 */

#ifndef TRANSLATOR_H
#define TRANSLATOR_H

#define TRANSLATOR "192.0.2.1"

/* New ports are assigned to this port on loopback from now on.
 */
void translator_assign (int port);

/* How many ports have been assigned.
 */
int translator_count (void);

#endif /* !TRANSLATOR_H */
