/* readyz.h - what GET /readyz goes by. */
#ifndef READYZ_H
#define READYZ_H

#include <stdint.h>

void readyz_configure(uint64_t grace_ms);    /* before it serves: so long the database may be away */

#endif
