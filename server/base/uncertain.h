/* uncertain.h - the error of what may or may not have been done: nobody knows, and to ask again might do it twice. */
#ifndef UNCERTAIN_H
#define UNCERTAIN_H

enum { ERR_UNCERTAIN = -30100 };             /* no other's */

#endif
