/* address_map.h - numbers by addresses of another process, which are not 0. */
#ifndef INSPECT_ADDRESS_MAP_H
#define INSPECT_ADDRESS_MAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct address_map {                 /* {0}: empty */
    struct { uint64_t at; int number; } *slots;
    size_t room, count;
} address_map;

void address_map_add(address_map *m, uint64_t at, int number);       /* one that is there already gets this number */
int  address_map_find(const address_map *m, uint64_t at);    /* -1: it is not there */
void address_map_free(address_map *m);

#endif
