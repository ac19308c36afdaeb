/* pooler.h - a connection pooler in session mode, as PgBouncer is one: it signs everybody in by itself, and passes
 * on to a server only as many clients at once as it has servers; the others wait until one of those leaves. */
#ifndef POOLER_H
#define POOLER_H

int  pooler_to(int port, int servers);       /* a thread serves; its own port */
void pooler_end(void);                       /* all clients must have left */

#endif
