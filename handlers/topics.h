/* topics.h - how this site names its topics (server/topic/topic.h), and which of them anybody may listen to.
 *
 *     users/ID     what is new on a user's page
 *     chat/ROOM    what is said in a room
 *     patterns/N   what a pattern of the gallery publishes, where there is the gallery
 *     compare/run  how a comparison of both modes goes on: the same (handlers/compare/comparison.h) */
#ifndef HANDLERS_TOPICS_H
#define HANDLERS_TOPICS_H

#include "server/base/text.h"

#include <stdbool.h>

enum { TOPIC_WORD = 32 };                    /* bytes, at most */

bool topic_word_is_valid(text word);         /* small letters, digits and hyphens: a chat's room is one */
bool topic_name_is_valid(text name);         /* two words with a slash between them */
bool topic_is_public(text name);             /* of a valid one: it is of one of these kinds */
bool topic_is_stored(text name);             /* is what is published on it a row of the outbox? Not of patterns, compare */
bool topic_is_indexed(text name);            /* are its rows in the outbox's index? Those of users are not: each post has one */

#endif
