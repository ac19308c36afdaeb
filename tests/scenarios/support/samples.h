/* samples.h - what GET /metrics of the server says. */
#ifndef SAMPLES_H
#define SAMPLES_H

/* The sample of that name, with its labels if it has any; -1: there is none. */
double sample(const char *name);
void   expect_sample(const char *name, double value);

#endif
