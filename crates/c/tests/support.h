/* What the test programs share: checks, memory of exactly the size of an object, and texts. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../claimgate.h"

static inline claimgate_text text(const char *string) {
    return (claimgate_text){string, string == NULL ? 0 : strlen(string)};
}

/* Memory of exactly this size, so that the sanitizer sees a byte too many. */
static inline void *memory_of(size_t size, size_t alignment) {
#ifdef __arm__ /* where no object is aligned further, and newlib has no aligned_alloc */
    void *memory = alignment > alignof(max_align_t) ? NULL : malloc(size);
#else
    void *memory = alignment > alignof(max_align_t) ? aligned_alloc(alignment, size) : malloc(size);
#endif
    if (memory == NULL) {
        fprintf(stderr, "no %lu bytes\n", (unsigned long)size);
        exit(2);
    }
    /* Nothing may depend on what is in it. */
    memset(memory, 0xa5, size);
    return memory;
}

/* The checks of a program, and a line about them. */
typedef struct {
    int made, failed;
} counted_checks;

static inline counted_checks *counted(void) {
    static counted_checks checks;
    return &checks;
}

static inline int report_checks(void) {
    printf("%d checks, %d failed\n", counted()->made, counted()->failed);
    fflush(stdout);
    return counted()->failed != 0;
}

#define IS(expected, call)                                                              \
    do {                                                                                \
        claimgate_code found_code = (call);                                             \
        counted()->made++;                                                              \
        if (found_code != (expected)) {                                                 \
            counted()->failed++;                                                        \
            fprintf(stderr, "%s:%d: %s, and not %s\n", __FILE__, __LINE__,              \
                    claimgate_code_name(found_code), claimgate_code_name(expected));    \
        }                                                                               \
    } while (0)

#define HOLDS(condition)                                                                \
    do {                                                                                \
        counted()->made++;                                                              \
        if (!(condition)) {                                                             \
            counted()->failed++;                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);             \
        }                                                                               \
    } while (0)

#define NEW(object) memory_of(claimgate_##object##_size(), claimgate_##object##_align())

#endif
