/* list.h - lists of what has a node for them in it: nothing is allocated to be in one.
 *
 *     typedef struct job { list_node node; int number; } job;
 *
 *     list_push(&jobs, &j->node);
 *     for (list_node *n = jobs.first; n; n = n->next)
 *         printf("%d\n", container_of(n, job, node)->number);
 *     list_remove(&j->node);
 *
 *   list   a single pointer: takes in at its front, and gives up any node without being named
 *   fifo   two: takes in at both ends, and has to be named when a node leaves it
 *
 *   Shapes.     All zero is a list without nodes, and a node in no list. Neither may be moved while they are together.
 *   Ownership.  A list owns nothing.
 *   Threads.    One user at a time: where threads share a list, a lock of theirs guards it. */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>
#include <stddef.h>

/* The struct of that type whose member this points to. */
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

typedef struct list_node {
    struct list_node *next, **link;          /* what points to it: NULL while it is in no list */
} list_node;

typedef struct list { list_node *first; } list;
typedef struct fifo { list_node *first, **last; } fifo;      /* last: where the next goes; if there is none, anything */

static inline bool list_has(const list_node *n) { return n->link; }

static inline void list_push(list *l, list_node *n)
{
    n->next = l->first;
    n->link = &l->first;
    if (n->next)
        n->next->link = &n->next;
    l->first = n;
}

/* For a node whose memory is about to be freed, or to hold something else: list_has may not be asked of it any more. */
static inline void list_unlink(list_node *n)
{
    *n->link = n->next;
    if (n->next)
        n->next->link = n->link;
}

static inline void list_remove(list_node *n)
{
    list_unlink(n);
    n->link = NULL;
}

static inline void fifo_append(fifo *f, list_node *n)
{
    n->next = NULL;
    n->link = f->first ? f->last : &f->first;
    *n->link = n;
    f->last = &n->next;
}

static inline void fifo_push(fifo *f, list_node *n)          /* in front of the others */
{
    n->next = f->first;
    n->link = &f->first;
    *(n->next ? &n->next->link : &f->last) = &n->next;
    f->first = n;
}

static inline void fifo_remove(fifo *f, list_node *n)
{
    *n->link = n->next;
    *(n->next ? &n->next->link : &f->last) = n->link;
    n->link = NULL;
}

static inline list_node *fifo_take(fifo *f)                  /* the first; NULL if there is none */
{
    list_node *const n = f->first;
    if (n)
        fifo_remove(f, n);
    return n;
}

/* All of them, in their order; f is empty from then on. */
static inline void fifo_take_all(fifo *f, fifo *to)
{
    *to = *f;
    if (to->first)
        to->first->link = &to->first;
    *f = (fifo){ 0 };
}

#endif
