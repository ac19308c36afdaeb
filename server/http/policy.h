/* policy.h - what holds for every route alike, and no handler has to think of.
 *
 *   Other sites.  A page anywhere can make its visitor's browser send us requests. Those that change something
 *                 are refused (cross-site request forgery): the browser says where they come from, by
 *                 Sec-Fetch-Site, or by an Origin that is not the Host that was asked (of a trusted proxy, if there
 *                 is one: peer.h). A program that says neither is no browser, which a page could misuse. Nor may such
 *                 a page open a websocket, which browsers let any page read, unless its origin is among those of
 *                 [websocket] origins.
 *                 Origins that cors.h allows may change something where a route takes part in that.
 *   Codings.      A body with a Content-Encoding would be taken for what it is not.
 *   Conditions.   What can be changed but not read has no state that a client could have seen: so If-Match, * too,
 *                 never holds there, If-None-Match always does, and If-Unmodified-Since counts for nothing (RFC 9110,
 *                 13.1). Whatever else may be wrong with such a request is not looked at. Where there is a GET, too, the
 *                 handler knows the state, and sees to it (conditions.h) before it changes anything.
 *   Pages.        What is shown as a page loads what it needs from this site alone, images included, is framed
 *                 by none, sends its forms here, and tells no other site where its readers come from. */
#ifndef HTTP_POLICY_H
#define HTTP_POLICY_H

#include "server/http/peer/peer.h"
#include "router.h"

/* A route to answer the request instead of the one that m has: with 403 what comes from another site, with 415 a body
 * in a coding, with 412 what is to match a state that is not there. NULL if it may have its own. */
const route *policy_refusal(const head *h, const match *m, const peer *from, const char *websocket_origins);

/* Does a browser show what has that Content-Type as a page, which can do things? */
bool policy_is_page(const char *type);

/* Then these are the answer's headers, each with CRLF. */
extern const text POLICY_OF_PAGES;

#endif
