/* redaction.h - a database URL that people may see. */
#ifndef REDACTION_H
#define REDACTION_H

#include <stdbool.h>

/* A copy of url (mem_free it) with *** for each password: in postgresql://USER:PASSWORD@HOST, behind
 * password=, sslpassword= and the like in its query, and in strings such as "host=h password='p w'".
 * Where it is malformed in any way, no rule tells where its password is: then *** stands for all that is
 * before its last @. */
char *redaction_mask(const char *url);

/* What is wrong with a URL of PostgreSQL's, in words that have none of it: quotes around it, another scheme, spaces, a
 * stray %, an @ or / of the password that is not written %40 or %2F. NULL: nothing that can be seen here. Of
 * what is no URL, but key=value pairs, it has nothing to say. */
const char *redaction_flaw(const char *url);

bool redaction_needed(const char *url);      /* has it an @, or the name of a password? */

#endif
