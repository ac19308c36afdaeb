/* secret.h - a database URL that people may see. */
#ifndef SECRET_H
#define SECRET_H

/* A copy of url (mem_free it) with *** for each password: in postgresql://USER:PASSWORD@HOST, behind
 * password=, sslpassword= and the like in its query, and in strings such as "host=h password='p w'".
 * Where a URL is malformed, too much is hidden rather than too little. */
char *secret_mask(const char *url);

#endif
