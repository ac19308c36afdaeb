/* network_list.h - networks, as one writes them in a setting: a list that commas part.
 *
 *   10.0.0.0/8, 192.0.2.1, ::1, unix          networks and addresses (network.h); whoever comes by a unix socket
 *   none                                      no one, which stands alone */
#ifndef CONFIG_NETWORK_LIST_H
#define CONFIG_NETWORK_LIST_H

#include "server/base/net/network.h"

/* Takes the first off a list: true, and is_unix says whether it is that; false: there are no more. Of a list that is right. */
bool network_list_next(text *list, network *n, bool *is_unix);

/* 0, or UV_EINVAL after saying in why what is wrong with the list. */
int network_list_check(const char *list, char *why, size_t size);

#endif
