/* chat_html.h - the pages of the chat: the rooms, and one of them. static/chat.js adds to the second what comes. */
#ifndef CHAT_HTML_H
#define CHAT_HTML_H

#include "chat_store.h"

void chat_html_rooms(buffer *b, const rows *lately);         /* of CHAT_LATELY */

/* What was said and who is there, of chat_read_last and chat_read_here; the form says that name and has that key. */
void chat_html_room(buffer *b, text room, const chat_history *h, text name, text key);

#endif
