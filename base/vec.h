/* SPDX-License-Identifier: Apache-2.0
 * Growing arrays inside an arena: `struct { T *v; size_t n, cap; } name;`. Old storage stays in the arena
 * until it is released, which at doubling growth wastes at most the final size once. */
#ifndef SLUICE_BASE_VEC_H
#define SLUICE_BASE_VEC_H

#include "base/arena.h"

#define SL_VEC(type)                                                                                         \
    struct {                                                                                                 \
        type *v;                                                                                             \
        size_t n, cap;                                                                                       \
    }

void *sl_vec_grow(struct sl_arena *a, void *old, size_t n, size_t *cap, size_t elem);

/* Evaluates to a pointer to the new, zeroed element. */
#define sl_vec_add(arena, vec)                                                                               \
    ((vec)->n == (vec)->cap                                                                                  \
         ? ((vec)->v = sl_vec_grow((arena), (vec)->v, (vec)->n, &(vec)->cap, sizeof(*(vec)->v)), 0)          \
         : 0,                                                                                                \
     memset(&(vec)->v[(vec)->n], 0, sizeof(*(vec)->v)), &(vec)->v[(vec)->n++])

#define sl_vec_push(arena, vec, value) (*sl_vec_add((arena), (vec)) = (value))

#endif
